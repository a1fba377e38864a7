"""Text as raw data: sentences and documents with a class, and sentences with their translation."""
