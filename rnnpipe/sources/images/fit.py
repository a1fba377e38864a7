"""How an image that is not square becomes square."""

from typing import Literal, get_args

Fit = Literal["stretch", "crop", "pad"]
"""How an image that is not square becomes square.

- `stretch`: each axis is scaled by itself. Nothing is lost, and a place in the square is the same
  fraction of the image's width and height: attention can be drawn over the original.
- `crop`: the largest square in the middle; the ends of the longer side are cut off.
- `pad`: the whole image in the middle of a black square.
"""

FITS: tuple[Fit, ...] = get_args(Fit)
