"""Sections of a run's YAML that several tasks share: keys, types, bounds and defaults."""
