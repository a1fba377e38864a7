"""Scenes as pictures."""

import io
import math

from PIL import Image, ImageDraw

from rnnpipe.sources.generated.shapes.scene import Scene, Shape

_OVERSAMPLING = 4
_CORNERS = {"square": 4, "triangle": 3}
_FIRST_CORNER = {"square": 45.0, "triangle": -90.0}  # degrees from the x axis, y downwards


def draw(scene: Scene, size: int) -> Image.Image:
    """The scene as an RGB picture with smooth edges.

    Args:
        scene: what to draw.
        size: the picture's side in pixels.
    """
    side = size * _OVERSAMPLING
    picture = Image.new("RGB", (side, side), scene.background)
    brush = ImageDraw.Draw(picture)
    for shape in scene.shapes:
        _draw_shape(brush, shape, side)
    return picture.reduce(_OVERSAMPLING)


def encode_jpeg(picture: Image.Image) -> bytes:
    """The picture as a JPEG file, colours at full resolution so that small shapes keep theirs."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92, subsampling=0)
    return buffer.getvalue()


def _draw_shape(brush: ImageDraw.ImageDraw, shape: Shape, side: int) -> None:
    x, y, radius = shape.x * side, shape.y * side, shape.radius * side
    if shape.kind == "circle":
        radius *= 0.9  # nearer to the area of a square in the same surrounding circle
        brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shape.paint)
        return
    corners = _CORNERS[shape.kind]
    angles = [
        math.radians(_FIRST_CORNER[shape.kind] + shape.turn + 360 * corner / corners)
        for corner in range(corners)
    ]
    brush.polygon(
        [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles], shape.paint
    )
