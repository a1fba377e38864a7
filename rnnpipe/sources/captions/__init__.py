"""Sources of captions of images."""
