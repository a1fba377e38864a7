"""The stages of a run, and the folder it leaves."""
