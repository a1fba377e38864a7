"""Batch prediction as a Beam job: rows in files, predictions in shards, on workers or a cluster."""
