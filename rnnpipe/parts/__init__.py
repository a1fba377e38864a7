"""Parts of models, as settings: each is declared once and makes the Keras object it describes.

A builder of `rnnpipe.models` takes them, and anybody's Keras layer in the place of a part.
"""
