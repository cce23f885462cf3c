"""Complaints by telephone."""
