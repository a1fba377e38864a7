"""Captions of images, whatever data set they come from."""

import json
from pathlib import Path
from typing import Any, TypedDict

from rnnpipe.errors import BadRecord
from rnnpipe.sources.source import Reference


class CaptionFields(TypedDict):
    """The `fields` of a reference to an image with captions.

    Args:
        image_id: the image's number, unique in its split of the data set.
        image: path of the image's file.
        captions: what each person wrote.
        scene: what is in the image, as JSON; empty where the raw data does not say.
        left_out: how many more captions are empty or no text.
    """

    image_id: int
    image: str
    captions: list[str]
    scene: str
    left_out: int


def refer_captions(
    subset: str,
    split: str,
    *,
    image_id: int,
    image: Path,
    captions: list[Any],
    scene: Any = None,
) -> Reference:
    """The reference to an image with its captions; all that a raw file says is checked here.

    Captions that are empty or no text are left out, and counted, where others are there.

    Args:
        subset: the raw data's own name for the split, e.g. `train2014`.
        split: the split that the image belongs to.
        image_id: the image's number.
        image: the image's file.
        captions: what people wrote.
        scene: what is in the image: any JSON value.

    Raises:
        BadRecord: there is no caption that can be used.
    """
    usable = [" ".join(caption.split()) for caption in captions if _is_text(caption)]
    if not usable:
        reason = f"none of {len(captions)} is a text" if captions else "there are none"
        raise BadRecord("read captions", reason)
    described = "" if scene is None else json.dumps(scene, sort_keys=True)
    fields = CaptionFields(
        image_id=image_id,
        image=str(image),
        captions=usable,
        scene=described,
        left_out=len(captions) - len(usable),
    )
    return Reference(f"{subset}/{image_id}", f"{subset}/{image_id}", split, {**fields})


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or not value.strip():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell
        return False
    return True
