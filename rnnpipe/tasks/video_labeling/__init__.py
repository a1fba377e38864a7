"""Videos: frames in, a label for each and one for the whole clip out."""
