"""Huiyin 回音: complaint handling for private fund managers."""
