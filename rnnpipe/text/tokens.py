"""The ids that every vocabulary starts with."""

PAD = 0
UNKNOWN = 1
START = 2
END = 3
