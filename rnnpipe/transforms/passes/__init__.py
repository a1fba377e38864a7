"""The passes of a build over the raw data."""
