"""Recordings of single words joined to utterances of several."""

from rnnpipe.sources.generated.connected.writer import write_connected

__all__ = ["write_connected"]
