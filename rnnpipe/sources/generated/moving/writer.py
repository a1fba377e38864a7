"""Walks as video files with tables of labels."""

import csv
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from rnnpipe.sources.generated.moving.routes import Walk, sample_walk
from rnnpipe.sources.generated.shapes.drawing import draw
from rnnpipe.sources.generated.shapes.scene import COLOURS, KINDS, Scene, Shape
from rnnpipe.sources.videos.files import encode_video

CLIPS, FRAME_LABELS = "clips.csv", "frame_labels.csv"
RATE = 12
"""Frames for each second."""

_PROGRESS_EVERY = 50
_RADII = (0.14, 0.2)


def write_moving(
    folder: Path, clips: int, *, size: int, seed: int, progress: Callable[[int, int], None]
) -> None:
    """Draws clips of a shape that moves, and two tables: what clips and what their frames show.

    The same arguments give the same bytes. A clip depends on `seed` and its own number only.

    Args:
        folder: where to write; it is there.
        clips: how many.
        size: their side in pixels.
        seed: of everything that is drawn at random.
        progress: called with how many of how many clips are done.
    """
    (folder / "clips").mkdir()
    with (
        (folder / CLIPS).open("w", encoding="utf-8", newline="") as of_clips,
        (folder / FRAME_LABELS).open("w", encoding="utf-8", newline="") as of_frames,
    ):
        table, frame_table = csv.writer(of_clips), csv.writer(of_frames)
        table.writerow(["clip", "label"])
        frame_table.writerow(["clip", "frame", "label"])
        for number in range(1, clips + 1):
            rng = random.Random(f"{seed}/{number}")
            walk, name = sample_walk(rng), f"clips/{number:06d}.mp4"
            encode_video(folder / name, draw_walk(walk, size, rng), RATE)
            table.writerow([name, walk.route])
            frame_table.writerows(
                [name, frame, motion] for frame, motion in enumerate(walk.motions)
            )
            if number % _PROGRESS_EVERY == 0 or number == clips:
                progress(number, clips)


def draw_walk(walk: Walk, size: int, rng: random.Random) -> Iterator[Image.Image]:
    """The pictures of a walk: a shape of one colour on a pale ground."""
    kind, colour = rng.choice(KINDS), rng.choice(list(COLOURS))
    radius, turn, grey = rng.uniform(*_RADII), rng.uniform(0, 360), rng.randint(226, 246)
    for place in walk.places:
        # What is cut off on one side is seen on the other.
        across, along = ([at + side for side in _sides(at, radius)] for at in place)
        copies = [
            Shape(kind, colour, "large", x, y, radius, turn, COLOURS[colour])
            for x in across
            for y in along
        ]
        yield draw(Scene(tuple(copies), (grey, grey, grey)), size)


def _sides(at: float, radius: float) -> list[int]:
    """By how many pictures a shape is moved to be seen in this one."""
    return [side for side in (-1, 0, 1) if -radius < at + side < 1 + radius]
