"""Long texts as raw data: streams that are read from their first character to their last."""
