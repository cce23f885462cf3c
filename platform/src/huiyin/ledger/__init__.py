"""The chained, append-only account of what was done, and how to check it."""
