"""Jobs and events: the truth is in the database, the broker only rings the bell."""
