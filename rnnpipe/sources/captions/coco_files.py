"""Where the splits of a data set in COCO's caption format lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.settings import FilePath, Settings, setting
from rnnpipe.sources.coco_splits import LABELS, check_named, label_of, splits_of
from rnnpipe.sources.file_index import ImageIndex, folder_of
from rnnpipe.sources.folder import describe_json, image_folders, read_json, walk
from rnnpipe.sources.ids import read_id
from rnnpipe.sources.splits import Split

WHERE_TO_GET_IT = "get COCO from https://cocodataset.org/#download, or correct data.source.path"


class CaptionFiles(Settings):
    """The files of one split of a data set; paths are relative to the source's folder."""

    annotations: FilePath = setting(help="the JSON file of the captions")
    images: FilePath = setting(help="the folder of the images")


@dataclass(frozen=True, slots=True)
class CocoSplit:
    """A split of a data set that is there.

    Args:
        split: what it becomes, where no Karpathy split says otherwise.
        subtype: its own name, e.g. `train2017`.
        annotations: the JSON file of the captions.
        images: the folder of the images.
        folders: the folders in it that files are named in; "" is itself.
        strays: how many captions are about images that the file does not list.
    """

    split: str
    subtype: str
    annotations: Path
    images: Path
    folders: tuple[str, ...]
    strays: int


def named_splits(folder: Path, files: Mapping[Split, CaptionFiles]) -> list[CocoSplit]:
    """The splits whose files are given by name.

    Args:
        folder: what the names are relative to.
        files: the files of each split.

    Raises:
        UserError: one of them is not there or is not COCO's, or there is none to train on.
    """
    found_splits = []
    for split, named in check_named(files):
        annotations, images = folder / named.annotations, folder / named.images
        for path, there, what in (
            (annotations, annotations.is_file(), "a file"),
            (images, images.is_dir(), "a folder"),
        ):
            if not there:
                fix = f"correct data.source.files.{split}; it is relative to data.source.path"
                raise UserError(str(path), what, "none there", fix)
        content = read_annotations(annotations)
        found_splits.append(_describe(split, annotations, images, content))
    return found_splits


def find_splits(folder: Path) -> list[CocoSplit]:
    """The splits that lie in a folder, found by the names of their files.

    Args:
        folder: where to look, at any depth; for images also beside it.

    Raises:
        UserError: something is missing, or two files could be the same split.
    """
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
    found_splits = []
    for label, split in splits.items():
        path = found[label]
        content = read_annotations(path)
        candidates = image_folders(folder, folders, path, _subtype(path))
        images = _with_images(folder, candidates, path, content)
        found_splits.append(_describe(split, path, images, content))
    return found_splits


def _describe(
    split: str, annotations: Path, images: Path, content: Mapping[str, list[Any]]
) -> CocoSplit:
    entries = [entry for entry in content["images"] if isinstance(entry, dict)]
    listed = {read_id(entry.get("id")) for entry in entries}
    about = (read_id(c.get("image_id")) for c in content["annotations"] if isinstance(c, dict))
    strays = sum(number is not None and number not in listed for number in about)
    folders = {folder_of(entry.get("file_name")) for entry in entries}
    where = tuple(sorted(folders | {""}))
    return CocoSplit(split, _subtype(annotations), annotations, images, where, strays)


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


def image_names(path: Path) -> list[Any]:
    """The `file_name` of each image that a file in COCO's format lists, as found."""
    entries = read_annotations(path)["images"]
    return [entry.get("file_name") for entry in entries if isinstance(entry, dict)]


def _subtype(annotations: Path) -> str:
    """The split's own name: `train2017` of `captions_train2017.json.gz`."""
    return annotations.name.split(".")[0].removeprefix("captions_")


def _with_images(
    folder: Path, candidates: list[Path], annotations: Path, content: Mapping[str, list[Any]]
) -> Path:
    """The first folder with any of the images; the build tells of missing ones."""
    entries = (entry for entry in content["images"] if isinstance(entry, dict))
    names = {str(entry.get("file_name")) for entry in entries}
    for candidate in [*candidates, annotations.parent, folder]:  # the last: named with folders
        index = ImageIndex(candidate)
        if any(map(index.has_name, names)):
            return candidate
    example = min(names, default="none")
    expected = f"a folder with the images of {annotations.name}, e.g. {example}"
    got = ", ".join(str(path) for path in candidates) or "no folder of that name"
    fix = "put them into a folder called like the split, e.g. train2017, or name it"
    raise UserError(str(folder), expected, got, f"{fix} under data.source.files")
