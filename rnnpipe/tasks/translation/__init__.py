"""Translation: a sentence in, its likeliest translations and where each word came from out."""
