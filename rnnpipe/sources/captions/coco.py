"""COCO captions, or data in their format: photographs, each with what five people said of it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from pycocotools.coco import COCO

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import FilePath, setting
from rnnpipe.sources.captions.coco_files import (
    WHERE_TO_GET_IT,
    CaptionFiles,
    CocoSplit,
    find_splits,
    named_splits,
    read_annotations,
)
from rnnpipe.sources.captions.fields import refer_captions
from rnnpipe.sources.captions.karpathy import read_karpathy
from rnnpipe.sources.captions.source import CaptionSource
from rnnpipe.sources.folder import absolute, check_folder
from rnnpipe.sources.raw_files import ImageIndex
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.splits import Split
from rnnpipe.sources.vqa.fields import is_id

# The output belongs to the whole process, so one thread at a time may redirect it.
_OUTPUT = threading.Lock()


class CocoCaptions(CaptionSource):
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
    karpathy: FilePath | None = setting(
        None,
        "Karpathy's dataset_coco.json, relative to path: the splits of most papers; null: COCO's "
        "own, of which val becomes test",
    )

    @cached_property
    def _folder(self) -> Path:
        return absolute(self.path)

    @property
    def _karpathy(self) -> Path | None:
        return None if self.karpathy is None else self._folder / self.karpathy

    @cached_property
    def _split_files(self) -> list[CocoSplit]:
        check_folder(self._folder, "COCO captions", WHERE_TO_GET_IT)
        if self.files is None:
            return find_splits(self._folder)
        return named_splits(self._folder, self.files)

    @cached_property
    def _splits(self) -> dict[int, str] | None:
        return None if self._karpathy is None else read_karpathy(self._karpathy)

    def __getstate__(self) -> dict[str, Any]:
        """Karpathy's file is read again by each worker: it is long, and travels badly."""
        return {key: value for key, value in vars(self).items() if key != "_splits"}

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        if self._splits is not None:
            return frozenset(self._splits.values())
        return frozenset(files.split for files in self._split_files)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The files that are named; those found by their names are in `raw_files`."""
        named: dict[str, Any] = {
            split: [name.as_posix() for name in (files.annotations, files.images)]
            for split, files in (self.files or {}).items()
        }
        return {**named, "karpathy": self.karpathy is not None}

    def prepare(self, progress: Progress) -> None:
        """Checks that captions and images are there; see `Source`."""
        progress(len(self._split_files), len(self._split_files))  # finding them has read them
        if self._splits is None and "train" not in self.split_names:
            got = ", ".join(sorted(self.split_names))
            raise UserError(str(self._folder), "a split to train on", got, WHERE_TO_GET_IT)

    def partitions(self) -> list[CocoSplit]:
        """One for each split: reading its JSON takes seconds, decoding its images an hour."""
        return list(self._split_files)

    def read(self, partition: CocoSplit) -> Iterator[Reference | DeadLetter]:
        """The images of a split with their captions.

        Yields:
            References with the fields of `CaptionFields` and dead letters for images that are
            malformed, listed twice, or without captions, file or split.
        """
        content = read_annotations(partition.annotations)
        images = []
        for number, entry in enumerate(content["images"]):
            if isinstance(entry, dict) and is_id(entry.get("id")):
                images.append(entry)
            else:
                yield _dead(partition, f"entry {number}", "read image", "it has no number as 'id'")
        coco = _index(images, content["annotations"])
        files = ImageIndex(partition.images)
        seen: set[int] = set()
        for entry in images:
            image_id = entry["id"]
            try:
                _check_new(image_id, seen)
                split = self._split_of(partition, image_id)
                yield refer_captions(
                    partition.subtype,
                    split,
                    image_id=image_id,
                    image=files.find_name(entry.get("file_name")),
                    captions=[given.get("caption") for given in coco.imgToAnns[image_id]],
                    scene=entry.get("scene"),
                )
            except BadRecord as bad:
                yield _dead(partition, str(image_id), bad.step, bad.reason)

    def _split_of(self, partition: CocoSplit, image_id: int) -> str:
        if self._splits is None:
            return partition.split
        if image_id not in self._splits:
            raise BadRecord("find split", "the Karpathy splits do not have this image")
        return self._splits[image_id]

    def raw_files(self) -> Iterator[Path]:
        """The JSON files and all images of the folders that the splits use."""
        if self._karpathy is not None:
            yield self._karpathy
        yield from (files.annotations for files in self._split_files)
        for folder in dict.fromkeys(files.images for files in self._split_files):
            yield from (folder / name for name in ImageIndex(folder).images)


def _check_new(image_id: int, seen: set[int]) -> None:
    if image_id in seen:
        raise BadRecord("read image", "another image has this id")
    seen.add(image_id)


def _index(images: list[Any], annotations: list[Any]) -> Any:
    """COCO's own index; entries that it would choke on say nothing of any image."""
    coco = COCO()
    coco.dataset = {
        "images": images,
        "annotations": [
            entry
            for entry in annotations
            if isinstance(entry, dict) and is_id(entry.get("image_id")) and is_id(entry.get("id"))
        ],
    }
    with _OUTPUT, redirect_stdout(StringIO()):  # it tells of its progress
        coco.createIndex()
    return coco


def _dead(partition: CocoSplit, name: str, step: str, reason: str) -> DeadLetter:
    return DeadLetter(f"{partition.subtype}/{name}", partition.annotations.name, step, reason)
