import io
import math
import random

from PIL import Image

from rnnpipe.sources.generated.shapes.drawing import draw, encode_jpeg
from rnnpipe.sources.generated.shapes.scene import COLOURS, Scene, Shape, sample_scene


def named(pixel: tuple[int, int, int], background: tuple[int, int, int]) -> str:
    names = {**COLOURS, "background": background}
    return min(names, key=lambda name: math.dist(names[name], pixel))


def seen(scene: Scene, size: int) -> list[list[str]]:
    """The name of every pixel of the JPEG, by row."""
    picture = Image.open(io.BytesIO(encode_jpeg(draw(scene, size))))
    assert (picture.mode, picture.size) == ("RGB", (size, size))
    return [
        [named(picture.getpixel((x, y)), scene.background) for x in range(size)]
        for y in range(size)
    ]


def test_the_named_colour_is_at_the_place_of_the_shape() -> None:
    for seed, size in ((seed, size) for seed in range(6) for size in (48, 64, 97)):
        scene = sample_scene(random.Random(seed))
        pixels = seen(scene, size)
        for shape in scene.shapes:
            assert pixels[int(shape.y * size)][int(shape.x * size)] == shape.colour


def test_nothing_is_drawn_where_no_shape_is() -> None:
    for seed in range(12):
        scene = sample_scene(random.Random(seed))
        pixels = seen(scene, 64)
        for x, y in ((x, y) for x in range(64) for y in range(64)):
            centre = ((x + 0.5) / 64, (y + 0.5) / 64)
            if all(math.dist((s.x, s.y), centre) > s.radius + 2 / 64 for s in scene.shapes):
                assert pixels[y][x] == "background"


def test_kinds_cover_the_area_of_their_geometry() -> None:
    areas = {"circle": math.pi * 0.9**2, "square": 2.0, "triangle": 3 * math.sqrt(3) / 4}
    for kind, area in areas.items():
        shape = Shape(kind, "blue", "large", 0.5, 0.5, 0.4, 8.0, COLOURS["blue"])
        pixels = seen(Scene((shape,), (240, 240, 240)), 64)
        covered = sum(row.count("blue") for row in pixels) / 64**2
        assert math.isclose(covered, area * 0.4**2, rel_tol=0.03)


def test_a_triangle_points_upwards() -> None:
    shape = Shape("triangle", "red", "large", 0.5, 0.5, 0.4, 0.0, COLOURS["red"])
    pixels = seen(Scene((shape,), (240, 240, 240)), 64)
    assert pixels[12][32] == "red"
    assert pixels[12][16] == pixels[12][48] == "background"
    assert pixels[42][16] == pixels[42][48] == "red"
