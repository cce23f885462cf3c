"""Complaints filed and followed on the firm's own public pages."""
