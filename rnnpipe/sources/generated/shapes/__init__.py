"""Embedded data: drawn scenes of coloured shapes, asked about in the format of VQA v2.0."""

from rnnpipe.sources.generated.shapes.writer import write_shapes

__all__ = ["write_shapes"]
