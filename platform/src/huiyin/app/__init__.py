"""The composition root: where the parts are put together, and nothing else happens."""
