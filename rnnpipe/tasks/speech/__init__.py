"""Speech recognition: sound in, text and the times of its words out."""
