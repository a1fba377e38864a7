"""Sources that generate their raw files themselves."""
