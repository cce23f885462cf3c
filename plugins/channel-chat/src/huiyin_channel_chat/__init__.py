"""Talking with the firm: kept, answered, and turned into a case."""
