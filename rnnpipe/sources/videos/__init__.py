"""Videos with labels for each frame, for the whole clip, or for both."""
