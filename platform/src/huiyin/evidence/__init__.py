"""Files and their custody: what was handed in, by whom, unchanged since."""
