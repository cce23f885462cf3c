"""Calls promised to complainants: nobody waits by the telephone in vain."""
