"""Templates, styles, icons, fonts and messages; no code."""
