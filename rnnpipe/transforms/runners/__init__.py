"""Where pipelines run: local workers, or a cluster."""
