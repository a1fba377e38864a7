"""Predictions for many rows: of files, folders, tables or pipes, written as text or tables."""
