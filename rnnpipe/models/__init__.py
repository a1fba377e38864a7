"""Keras models made of layers; they take plain arguments."""
