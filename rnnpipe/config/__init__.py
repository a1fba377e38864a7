"""Configuration files: the schema of a run, its loader, and its dump."""
