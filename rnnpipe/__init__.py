"""Recurrent sequence models on Keras 3: from raw data to a trained, explained model."""

__version__ = "0.1.0"
