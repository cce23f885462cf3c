"""A complaint, from the moment it arrives to the sealed archive."""
