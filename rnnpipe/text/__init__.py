"""Text: normalised, split, and cut into tokens."""
