"""The format on disk: fields, codec, files, publication."""
