"""Complaints by mail."""
