"""Scenes and captions as the files of COCO."""

import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rnnpipe.sources.generated.shapes.captions import sample_captioned_scene, write_captions
from rnnpipe.sources.generated.shapes.drawing import draw, encode_jpeg
from rnnpipe.sources.generated.shapes.scene import Scene
from rnnpipe.sources.source import Progress

PART = "train"

_PROGRESS_EVERY = 50
_DESCRIBED = ("kind", "colour", "size", "x", "y", "radius")
_HEADER: dict[str, Any] = {
    "info": {"description": "Drawn scenes of coloured shapes in the format of COCO's captions"},
    "licenses": [
        {
            "id": 1,
            "name": "CC0 1.0 Universal",
            "url": "https://creativecommons.org/publicdomain/zero/1.0/",
        }
    ],
    "type": "captions",
}


def write_captioned_shapes(
    folder: Path, images: int, *, size: int, seed: int, progress: Progress
) -> None:
    """Draws scenes and writes them with five captions each, all in the split `train`.

    The same arguments give the same bytes, and a larger data set begins with the smaller one. What
    is in a picture is written beside its size, as `scene`: for every shape its `kind`, `colour`
    and `size`, its centre `x` and `y` from the top left corner and the `radius` of the circle
    around it, as fractions of the picture's side.

    Args:
        folder: where to write; it is there and empty.
        images: how many pictures.
        size: their side in pixels.
        seed: of everything that is drawn at random.
        progress: called with how many of how many pictures are done.
    """
    (folder / PART).mkdir()
    pictures: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id in range(1, images + 1):
        rng = random.Random(f"captions {seed}/{image_id}")
        scene = sample_captioned_scene(rng)
        name = f"{image_id:012d}.jpg"
        (folder / PART / name).write_bytes(encode_jpeg(draw(scene, size)))
        shape = {"height": size, "width": size, "license": 1}
        pictures.append({"id": image_id, "file_name": name, **shape, "scene": describe(scene)})
        for caption in write_captions(scene, rng):
            number = len(annotations) + 1
            annotations.append({"id": number, "image_id": image_id, "caption": caption})
        if image_id % _PROGRESS_EVERY == 0 or image_id == images:
            progress(image_id, images)
    content = {**_HEADER, "images": pictures, "annotations": annotations}
    (folder / "annotations").mkdir()
    path = folder / "annotations" / f"captions_{PART}.json"
    path.write_text(json.dumps(content), encoding="utf-8")


def describe(scene: Scene) -> dict[str, Any]:
    """What is in a scene, as JSON."""
    shapes = []
    for shape in map(asdict, scene.shapes):
        described = {name: shape[name] for name in _DESCRIBED}
        shapes.append({k: round(v, 4) if isinstance(v, float) else v for k, v in described.items()})
    return {"shapes": shapes}
