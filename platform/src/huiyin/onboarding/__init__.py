"""Firms as data: creating them, and filling them for a demonstration."""
