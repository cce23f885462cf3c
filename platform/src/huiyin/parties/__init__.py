"""Investors and funds: whom and what a complaint is about."""
