"""Sweeps: many runs of one config, with drawn settings or other seeds, and what came of them."""
