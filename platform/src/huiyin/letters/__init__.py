"""Letters to complainants: what is written, how it looks, and the gate before it leaves."""
