"""Sentiment, or any other class of a text: words in, a class and where it was seen out."""
