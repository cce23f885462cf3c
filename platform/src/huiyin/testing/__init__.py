"""Factories and fixtures, for us and for the authors of plugins."""
