"""Who takes a new case: rules of the firm, tried in their order, and what people can and may."""
