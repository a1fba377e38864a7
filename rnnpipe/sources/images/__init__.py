"""Sources of images with classes."""
