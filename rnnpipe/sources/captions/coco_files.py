"""Where the splits of a data set in COCO's caption format lie."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rnnpipe.errors import UserError
from rnnpipe.settings import InnerPath, Settings, setting
from rnnpipe.sources.coco_splits import LABELS, check_named, label_of, splits_of
from rnnpipe.sources.file_index import ImageIndex, folder_of
from rnnpipe.sources.folder import describe_json, image_folders, read_json, walk
from rnnpipe.sources.ids import read_id
from rnnpipe.sources.splits import Split
from rnnpipe.sources.unused_images import UnusedImages

WHERE_TO_GET_IT = "get COCO from https://cocodataset.org/#download, or correct data.source.path"


class CaptionFiles(Settings):
    """The files of one split of a data set; paths are relative to the source's folder."""

    annotations: InnerPath = setting(help="the JSON file of the captions")
    images: InnerPath = setting(help="the folder of the images")


@dataclass(frozen=True, slots=True)
class CocoSplit:
    """A split of a data set that is there.

    Args:
        split: what it becomes, where no Karpathy split says otherwise.
        subtype: its own name, e.g. `train2017`.
        annotations: the JSON file of the captions.
        images: the folder of the images.
        folders: the folders in it that files are named in; "" is itself.
    """

    split: str
    subtype: str
    annotations: Path
    images: Path
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CocoLayout:
    """The splits of a data set, and what is left out of it.

    Args:
        splits: those that are there.
        notices: about captions of images that their file does not list, and images that no file
            lists; made while the files are read, which takes seconds.
    """

    splits: list[CocoSplit]
    notices: list[str]


def named_splits(folder: Path, files: Mapping[Split, CaptionFiles]) -> CocoLayout:
    """The splits whose files are given by name.

    Args:
        folder: what the names are relative to.
        files: the files of each split.

    Raises:
        UserError: one of them is not there or is not COCO's, or there is none to train on.
    """
    return _describe(_read_named(folder, files))


def _read_named(folder: Path, files: Mapping[Split, CaptionFiles]) -> Iterator["_Read"]:
    for split, named in check_named(files):
        annotations, images = folder / named.annotations, folder / named.images
        for path, there, what in (
            (annotations, annotations.is_file(), "a file"),
            (images, images.is_dir(), "a folder"),
        ):
            if not there:
                fix = f"correct data.source.files.{split}; it is relative to data.source.path"
                raise UserError(str(path), what, "none there", fix)
        yield _Read(split, annotations, ImageIndex(images), read_annotations(annotations))


def find_splits(folder: Path) -> CocoLayout:
    """The splits that lie in a folder, found by the names of their files.

    Args:
        folder: where to look, at any depth; for images also beside it.

    Raises:
        UserError: something is missing, or two files could be the same split.
    """
    return _describe(_read_found(folder))


def _read_found(folder: Path) -> Iterator["_Read"]:
    files, folders = walk(folder, ["captions"])
    found: dict[str, Path] = {}
    for path in files["captions"]:
        label = label_of(path.name) or "train"
        if label in found:
            expected = f"one file of captions for the split '{label}'"
            got = f"{found[label].name} and {path.name}"
            raise UserError(str(folder), expected, got, "say which under data.source.files")
        found[label] = path
    if not found:
        expected = "captions of COCO (*captions*.json or .json.gz) here or further down"
        raise UserError(str(folder), expected, "none", WHERE_TO_GET_IT)
    splits = splits_of([label for label in LABELS if label in found])
    for label, split in splits.items():
        path = found[label]
        content = read_annotations(path)
        candidates = image_folders(folder, folders, path, _subtype(path))
        yield _Read(split, path, _with_images(folder, candidates, path, content), content)


class _Read(NamedTuple):
    """A split whose file has been read."""

    split: str
    annotations: Path
    images: ImageIndex
    content: dict[str, list[Any]]


def _describe(read: Iterable[_Read]) -> CocoLayout:
    splits, notices, unused = list[CocoSplit](), list[str](), UnusedImages()
    for split, path, images, content in read:
        names = [entry.get("file_name") for entry in _objects(content["images"])]
        folders = tuple(sorted({"", *map(folder_of, names)}))
        splits.append(CocoSplit(split, _subtype(path), path, images.folder, folders))
        if strays := _count_strays(content):
            what = f"{strays:,} captions of {path.name} are of images"
            notices.append(f"data.source: {what} that it does not list, not read")
        there, used = images.images_in(folders), images.find_names(names)
        unused.add(images.folder, there, used, f"{path.name} does not list")
    return CocoLayout(splits, notices + unused.notices())


def _count_strays(content: Mapping[str, list[Any]]) -> int:
    """How many captions are about images that the file does not list."""
    listed = {read_id(entry.get("id")) for entry in _objects(content["images"])}
    about = (read_id(entry.get("image_id")) for entry in _objects(content["annotations"]))
    return sum(number is not None and number not in listed for number in about)


def _objects(entries: list[Any]) -> Iterator[dict[str, Any]]:
    return (entry for entry in entries if isinstance(entry, dict))


def read_annotations(path: Path) -> dict[str, list[Any]]:
    """The `images` and `annotations` of a file in COCO's format, as found.

    Raises:
        UserError: the file is not in that format.
    """
    content = read_json(path)
    for key in ("images", "annotations"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            got = describe_json(content)
            raise UserError(str(path), f"the key '{key}' with a list", got, WHERE_TO_GET_IT)
    return {key: content[key] for key in ("images", "annotations")}


def _subtype(annotations: Path) -> str:
    """The split's own name: `train2017` of `captions_train2017.json.gz`."""
    return annotations.name.split(".")[0].removeprefix("captions_")


def _with_images(
    folder: Path, candidates: list[Path], annotations: Path, content: Mapping[str, list[Any]]
) -> ImageIndex:
    """The first folder with any of the images; the build tells of missing ones."""
    names = {str(entry.get("file_name")) for entry in _objects(content["images"])}
    for candidate in [*candidates, annotations.parent, folder]:  # the last: named with folders
        index = ImageIndex(candidate)
        if any(map(index.has_name, names)):
            return index
    example = min(names, default="none")
    expected = f"a folder with the images of {annotations.name}, e.g. {example}"
    got = ", ".join(str(path) for path in candidates) or "no folder of that name"
    fix = "put them into a folder called like the split, e.g. train2017, or name it"
    raise UserError(str(folder), expected, got, f"{fix} under data.source.files")
