"""Beam jobs that data engineers run by hand, one for each kind of data set."""
