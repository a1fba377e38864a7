"""Fitting: losses, optimizers, keeping the best epoch."""
