"""The plugin training_records."""
