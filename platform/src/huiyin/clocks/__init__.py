"""Clocks: what must happen by when, counted how, and on whose word."""
