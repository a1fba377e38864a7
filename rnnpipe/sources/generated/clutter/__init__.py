"""Pictures of one whole shape among fragments of others, drawn by rnnpipe."""
