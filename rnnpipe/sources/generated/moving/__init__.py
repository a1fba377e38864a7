"""Embedded data: drawn clips of a shape that moves, labelled by how it does."""

from rnnpipe.sources.generated.moving.writer import write_moving

__all__ = ["write_moving"]
