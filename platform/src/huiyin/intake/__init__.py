"""What comes in by the roads of others: kept as it came, read, recognised, put where it belongs."""
