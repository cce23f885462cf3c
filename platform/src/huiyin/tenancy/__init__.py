"""Firms, consultancies, which plugins are on, and settings with their inheritance."""
