"""The host side of plugins: finding them, and calling them for one firm."""
