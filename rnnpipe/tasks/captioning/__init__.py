"""Captioning: an image in, what is to be seen on it out."""
