"""Where the splits of a data set in COCO's caption format lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.settings import FilePath, Settings, setting
from rnnpipe.sources.coco_splits import LABELS, check_named, label_of, splits_of
from rnnpipe.sources.folder import image_folders, read_json, walk
from rnnpipe.sources.raw_files import ImageIndex
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
    """

    split: str
    subtype: str
    annotations: Path
    images: Path


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
        read_annotations(annotations)
        found_splits.append(CocoSplit(split, _subtype(annotations), annotations, images))
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
        path, subtype = found[label], _subtype(found[label])
        candidates = image_folders(folder, folders, path, subtype)
        found_splits.append(CocoSplit(split, subtype, path, _with_images(folder, candidates, path)))
    return found_splits


def read_annotations(path: Path) -> dict[str, list[Any]]:
    """The `images` and `annotations` of a file in COCO's format, as found.

    Raises:
        UserError: the file is not in that format.
    """
    content = read_json(path)
    for key in ("images", "annotations"):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            keys = ", ".join(map(repr, list(content)[:8])) if isinstance(content, dict) else ""
            got = f"an object with {keys or 'no keys'}" if isinstance(content, dict) else "none"
            raise UserError(str(path), f"the key '{key}' with a list", got, WHERE_TO_GET_IT)
    return {key: content[key] for key in ("images", "annotations")}


def _subtype(annotations: Path) -> str:
    """The split's own name: `train2017` of `captions_train2017.json.gz`."""
    return annotations.name.split(".")[0].removeprefix("captions_")


def _with_images(folder: Path, candidates: list[Path], annotations: Path) -> Path:
    """The first folder with any of the images; the build tells of missing ones."""
    entries = read_annotations(annotations)["images"]
    names = {str(entry.get("file_name")) for entry in entries if isinstance(entry, dict)}
    for candidate in candidates:
        index = ImageIndex(candidate)
        if any(map(index.has_name, names)):
            return candidate
    example = min(names, default="none")
    expected = f"a folder with the images of {annotations.name}, e.g. {example}"
    got = ", ".join(str(path) for path in candidates) or "no folder of that name"
    fix = "put them into a folder called like the split, e.g. train2017, or name it"
    raise UserError(str(folder), expected, got, f"{fix} under data.source.files")
