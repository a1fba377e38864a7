"""Scores: how right predictions are."""
