"""Where files lie: on a file system, or in an object store."""
