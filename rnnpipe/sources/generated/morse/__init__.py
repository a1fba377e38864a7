"""Embedded data: texts in Morse code as a hand keys it, heard through noise."""

from rnnpipe.sources.generated.morse.writer import write_morse

__all__ = ["write_morse"]
