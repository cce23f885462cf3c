"""The firm's own procedure: categories, causes, severities, clauses, as data."""
