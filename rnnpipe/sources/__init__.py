"""Raw data, each kind by its own reader: what records are made from."""
