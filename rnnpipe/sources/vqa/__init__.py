"""Sources of questions about images."""
