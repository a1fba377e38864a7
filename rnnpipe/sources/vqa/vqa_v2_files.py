"""Where the splits of a VQA v2.0 data set lie."""

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rnnpipe.errors import UserError
from rnnpipe.settings import InnerPath, Settings, setting
from rnnpipe.sources.coco_splits import LABELS, check_named, label_of, splits_of
from rnnpipe.sources.file_index import ImageIndex
from rnnpipe.sources.folder import image_folders, walk
from rnnpipe.sources.ids import is_id, read_id
from rnnpipe.sources.splits import Split
from rnnpipe.sources.unused_images import UnusedImages
from rnnpipe.sources.vqa.vqa_v2_json import read_questions

WHERE_TO_GET_IT = (
    "get VQA v2.0 from https://visualqa.org/download.html, or correct data.source.path"
)
WHERE_TO_GET_IMAGES = (
    "get them from https://cocodataset.org/#download, or name their folder under data.source.files"
)

# What a questions file and its annotations do not have in common.
_OWN = re.compile(r"openended_|multiplechoice_|questions|annotations|\.json(\.gz)?$")


class VqaFiles(Settings):
    """The files of one split of a VQA v2.0 data set; paths are relative to the source's folder."""

    questions: InnerPath = setting(help="the questions' JSON file")
    annotations: InnerPath = setting(help="the annotations' JSON file")
    images: InnerPath = setting(help="the folder of the images")


@dataclass(frozen=True, slots=True)
class VqaSplit:
    """A split of a VQA v2.0 data set that is there.

    Args:
        split: what it becomes: `train`, `validation` or `test`.
        subtype: its own name, e.g. `train2014`.
        questions: the questions' JSON file.
        annotations: the annotations' JSON file.
        images: the folder of the images.
    """

    split: str
    subtype: str
    questions: Path
    annotations: Path
    images: Path


@dataclass(frozen=True, slots=True)
class VqaLayout:
    """The splits of a data set, and what is needed of their questions after they are read.

    Args:
        splits: those that are there.
        question_ids: the numbers of each split's questions.
        notices: about images that no question is about.
    """

    splits: list[VqaSplit]
    question_ids: dict[VqaSplit, "array[int]"]
    notices: list[str]


def named_splits(folder: Path, files: Mapping[Split, VqaFiles]) -> VqaLayout:
    """The splits whose files are given by name.

    Args:
        folder: what the names are relative to.
        files: the files of each split.

    Raises:
        UserError: one of them is not there, is not VQA v2.0's, or there is none to train on.
    """
    return _describe(_read_named(folder, files))


def _read_named(folder: Path, files: Mapping[Split, VqaFiles]) -> Iterator["_Read"]:
    for split, named in check_named(files):
        questions, annotations = folder / named.questions, folder / named.annotations
        for path in (questions, annotations):
            if not path.is_file():
                fix = f"correct data.source.files.{split}; it is relative to data.source.path"
                raise UserError(str(path), "a file", "none there", fix)
        subtype, entries = read_questions(questions)
        images = _first_with_images([folder / named.images], questions, entries)
        found = VqaSplit(split, subtype, questions, annotations, images.folder)
        yield _Read(found, images, entries)


def find_splits(folder: Path) -> VqaLayout:
    """The splits that lie in a folder, found by the names of their files.

    Args:
        folder: where to look, at any depth; for images also beside it.

    Raises:
        UserError: something is missing, or two files could be the same split.
    """
    return _describe(_read_found(folder))


def _read_found(folder: Path) -> Iterator["_Read"]:
    files, folders = walk(folder, ("questions", "annotations"))
    questions, annotations = files["questions"], files["annotations"]
    if not questions:
        raise UserError(
            str(folder),
            "questions of VQA v2.0 (*questions*.json or .json.gz) here or further down",
            "none",
            WHERE_TO_GET_IT,
        )
    pairs = _pair(folder, questions, annotations)
    splits = splits_of([label for label in LABELS if label in pairs])
    for label, split in splits.items():
        asked, answered = pairs[label]
        subtype, entries = read_questions(asked)
        candidates = _image_folders(folder, folders, asked, subtype)
        images = _first_with_images(candidates, asked, entries)
        found = VqaSplit(split, subtype, asked, answered, images.folder)
        yield _Read(found, images, entries)


class _Read(NamedTuple):
    """A split whose questions have been read."""

    split: VqaSplit
    images: ImageIndex
    entries: list[Any]


def _describe(read: Iterable[_Read]) -> VqaLayout:
    numbers: dict[VqaSplit, array[int]] = {}
    unused = UnusedImages()
    for split, images, entries in read:
        questions = [entry for entry in entries if isinstance(entry, dict)]
        ids = (read_id(question.get("question_id")) for question in questions)
        numbers[split] = array("q", (number for number in ids if number is not None))
        what = f"no question is about these of {images.folder.name}:"
        unused.add(images.folder, images.images, images.names_of(_image_ids(entries)), what)
    return VqaLayout(list(numbers), numbers, unused.notices())


def _pair(
    folder: Path, questions: list[Path], annotations: list[Path]
) -> dict[str, tuple[Path, Path]]:
    """The files of questions and annotations of each split; questions without answers are left."""
    pairs: dict[str, tuple[Path, Path]] = {}
    for asked in questions:
        same = [path for path in annotations if _common_name(path) == _common_name(asked)]
        if not same:
            continue
        label = _label_of(asked)
        if label in pairs:
            raise UserError(
                str(folder),
                f"one questions file for the split '{label}'",
                _names(folder, [pairs[label][0], asked]),
                "say which under data.source.files",
            )
        pairs[label] = asked, min(same, key=lambda path: (path.parent != asked.parent, path))
    if not pairs:
        raise UserError(
            str(folder),
            "the answers to its questions (e.g. v2_mscoco_train2014_annotations.json)",
            f"questions alone: {_names(folder, questions)}",
            WHERE_TO_GET_IT,
        )
    return pairs


def _common_name(path: Path) -> str:
    return _OWN.sub("", path.name.lower())


def _label_of(questions: Path) -> str:
    """Which split it is, by its name; `data_subtype` tells where the name does not."""
    return label_of(questions.name) or label_of(read_questions(questions)[0]) or "train"


def _names(folder: Path, paths: Iterable[Path]) -> str:
    return ", ".join(path.relative_to(folder).as_posix() for path in paths)


def _image_folders(folder: Path, folders: list[Path], questions: Path, subtype: str) -> list[Path]:
    """Where the images of a split may be, the likeliest first."""
    there = image_folders(folder, folders, questions, subtype)
    if not there:
        raise UserError(
            str(folder),
            f"a folder {subtype} with the images that {questions.name} asks about",
            "none here or beside it",
            WHERE_TO_GET_IMAGES,
        )
    return there


def _image_ids(entries: list[Any]) -> dict[Any, None]:
    """The images that questions are about, each once."""
    ids = (entry.get("image_id") for entry in entries if isinstance(entry, dict))
    return dict.fromkeys(image_id for image_id in ids if read_id(image_id) is not None)


def _first_with_images(candidates: list[Path], questions: Path, entries: list[Any]) -> ImageIndex:
    """The first folder with any of the images asked about; the build tells of missing ones."""
    asked = _image_ids(entries)
    if not asked:
        raise UserError(str(questions), "questions with an 'image_id'", "none", WHERE_TO_GET_IT)
    for folder in candidates:
        index = ImageIndex(folder)
        if any(map(index.has_id, asked)):
            return index
    first = candidates[0]
    others = len(ImageIndex(first).images)
    got = f"{others} others" if others else "none" if first.is_dir() else "no such folder"
    raise UserError(
        str(first),
        f"images that {questions.name} asks about, e.g. {_name_of(next(iter(asked)))}",
        got,
        WHERE_TO_GET_IMAGES,
    )


def _name_of(image_id: Any) -> str:
    return f"{image_id:012d}.jpg" if is_id(image_id) else f"{image_id}.jpg"
