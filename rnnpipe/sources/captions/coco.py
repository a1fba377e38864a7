"""COCO captions, or data in their format: photographs, each with what five people said of it."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import FilePath, InnerPath, setting
from rnnpipe.sources.captions.coco_files import (
    WHERE_TO_GET_IT,
    CaptionFiles,
    CocoLayout,
    CocoSplit,
    find_splits,
    named_splits,
    read_annotations,
)
from rnnpipe.sources.captions.fields import refer_captions
from rnnpipe.sources.captions.image_splits import ImageSplits
from rnnpipe.sources.captions.karpathy import KarpathySplits, read_karpathy
from rnnpipe.sources.captions.source import CaptionSource
from rnnpipe.sources.file_index import ImageIndex
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.ids import read_id
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.splits import Split

# The output belongs to the whole process, so one thread at a time may redirect it.
_OUTPUT = threading.Lock()


class CocoCaptions(KarpathySplits, CaptionSource):
    """Captions in COCO's JSON format, and the folders of their images.

    Without `files` the splits are found by name, at any depth:

    - captions: `captions_train2017.json`, `captions_val2014.json.gz`, …;
    - images: the folder called like the split, e.g. `train2017`, below `path`, beside it or in
      `images` beside it; else a folder `images`.

    What is called `train` becomes the split `train`. What is called `val` becomes `test`, as the
    captions of COCO's own test images are not public. With `karpathy` each image belongs to the
    split of that file instead, whatever split it lies in.

    Example:
        >>> source = CocoCaptions(path=Path("data/coco"), karpathy=Path("dataset_coco.json"))
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP

    Source:
        Chen et al., "Microsoft COCO Captions" (2015); Karpathy & Fei-Fei, "Deep Visual-Semantic
        Alignments" (2015), for the splits.
    """

    kind: Literal["coco_captions"] = "coco_captions"
    path: FilePath = setting(help="the folder that holds them")
    files: dict[Split, CaptionFiles] | None = setting(
        None, "the files of each split; null: found by their official names"
    )
    karpathy: InnerPath | None = setting(
        None,
        "Karpathy's dataset_coco.json, relative to path: the splits of most papers; null: COCO's "
        "own, of which val becomes test",
    )

    @cached_property
    def _layout(self) -> CocoLayout:
        check_folder(self._folder, "COCO captions", WHERE_TO_GET_IT)
        if self.files is None:
            return find_splits(self._folder)
        return named_splits(self._folder, self.files)

    @cached_property
    def _splits(self) -> ImageSplits | None:
        return None if self._karpathy is None else read_karpathy(self._karpathy)

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        if self._splits is not None:
            return self._splits.names
        return frozenset(files.split for files in self._layout.splits)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The files that are named; those found by their names are in `raw_files`."""
        named: dict[str, Any] = {
            split: [name.as_posix() for name in (files.annotations, files.images)]
            for split, files in (self.files or {}).items()
        }
        return {**named, "karpathy": self.karpathy is not None}

    @property
    def notices(self) -> Sequence[str]:
        """Captions of images that their file does not list, and images that no file lists."""
        return self._layout.notices

    def prepare(self, progress: Progress) -> None:
        """Checks that captions and images are there; see `Source`."""
        done = len(self._layout.splits)  # finding them has read them
        progress(done, done)
        if self._splits is None and "train" not in self.split_names:
            got = ", ".join(sorted(self.split_names))
            raise UserError(str(self._folder), "a split to train on", got, WHERE_TO_GET_IT)

    def partitions(self) -> list[CocoSplit]:
        """One for each split: reading its JSON takes seconds, decoding its images an hour."""
        return list(self._layout.splits)

    def read(self, partition: CocoSplit) -> Iterator[Reference | DeadLetter]:
        """The images of a split with their captions.

        Yields:
            References with the fields of `CaptionFields` and dead letters for images that are
            malformed, listed twice, or without captions, file or split, and for captions that are
            of no image.
        """
        content = read_annotations(partition.annotations)
        images, letters = _read_images(partition, content["images"])
        yield from letters
        captions, letters = _read_captions(partition, content["annotations"])
        yield from letters
        names, files = _names_by_id(images), ImageIndex(partition.images)
        seen: set[int] = set()
        for image_id, entry in images:
            try:
                _check_new(image_id, names, seen)
                yield refer_captions(
                    partition.subtype,
                    self._split_of(partition, image_id),
                    image_id=image_id,
                    image=files.find_name(entry.get("file_name")),
                    captions=captions.get(image_id, []),
                    scene=entry.get("scene"),
                )
            except BadRecord as bad:
                yield _dead(partition, str(image_id), bad.step, bad.reason)

    def _split_of(self, partition: CocoSplit, image_id: int) -> str:
        return partition.split if self._splits is None else self._splits.find(image_id)

    def raw_files(self) -> Iterator[Path]:
        """The JSON files and all images of the folders that the splits use."""
        if self._karpathy is not None:
            yield self._karpathy
        yield from (files.annotations for files in self._layout.splits)
        images = (
            files.images / name
            for files in self._layout.splits
            for name in ImageIndex(files.images).images_in(files.folders)
        )
        yield from dict.fromkeys(images)


def _read_images(
    partition: CocoSplit, entries: list[Any]
) -> tuple[list[tuple[int, dict[str, Any]]], list[DeadLetter]]:
    """The images with their numbers, and dead letters for entries without one."""
    images, letters = [], []
    for place, entry in enumerate(entries):
        number = read_id(entry.get("id")) if isinstance(entry, dict) else None
        if number is None:
            letters.append(_dead(partition, f"entry {place}", "read image", "it has no id"))
        else:
            images.append((number, entry))
    return images, letters


def _read_captions(
    partition: CocoSplit, entries: list[Any]
) -> tuple[dict[int, list[Any]], list[DeadLetter]]:
    """The captions of each image by its number, and dead letters for those of no image."""
    from pycocotools.coco import COCO  # configs are read where it is not installed

    usable, letters = [], []
    for place, entry in enumerate(entries):
        number = read_id(entry.get("image_id")) if isinstance(entry, dict) else None
        if number is None:
            reason = "it does not say of which image it is"
            letters.append(_dead(partition, f"caption {place}", "read captions", reason))
        else:
            entry.update(image_id=number, id=place)
            usable.append(entry)

    coco = COCO()
    coco.dataset = {"annotations": usable}
    with _OUTPUT, redirect_stdout(StringIO()):  # it tells of its progress
        coco.createIndex()
    return {
        number: [entry.get("caption") for entry in same] for number, same in coco.imgToAnns.items()
    }, letters


def _names_by_id(images: list[tuple[int, dict[str, Any]]]) -> dict[int, set[str]]:
    names: dict[int, set[str]] = {}
    for image_id, entry in images:
        names.setdefault(image_id, set()).add(str(entry.get("file_name")))
    return names


def _check_new(image_id: int, names: Mapping[int, set[str]], seen: set[int]) -> None:
    """Checks that an image's number is its own: its captions could be another's."""
    if len(names[image_id]) > 1:
        raise BadRecord("read image", f"{len(names[image_id])} images have this id")
    if image_id in seen:
        raise BadRecord("read image", "it is listed before")
    seen.add(image_id)


def _dead(partition: CocoSplit, name: str, step: str, reason: str) -> DeadLetter:
    return DeadLetter(f"{partition.subtype}/{name}", partition.annotations.name, step, reason)
