"""Trained models as folders that need neither the run nor its training code."""
