"""Everything a plugin may import.  Anything not listed in ``__all__`` may change."""
