"""Flickr8k, or data in its format: photographs, each with what five people said of it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import FilePath, InnerPath, setting
from rnnpipe.sources.captions.fields import refer_captions
from rnnpipe.sources.captions.image_splits import ImageSplits
from rnnpipe.sources.captions.karpathy import KarpathySplits, read_karpathy
from rnnpipe.sources.captions.source import CaptionSource
from rnnpipe.sources.file_index import ImageIndex
from rnnpipe.sources.folder import check_folder
from rnnpipe.sources.ids import hash_id
from rnnpipe.sources.raw_files import walk_raw
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.splits import left_out_notices, split_of_name, unused_notices
from rnnpipe.sources.text.files import check_text_file, read_all

WHERE_TO_GET_IT = "get Flickr8k_text.zip and Flickr8k_Dataset.zip, or correct data.source.path"

_TOKENS = re.compile(r"\.token(\.txt)?$", re.IGNORECASE)
_LEMMAS = re.compile(r"(^|\.)lemma\.", re.IGNORECASE)
_LIST = re.compile(
    r"(train(?:ing)?|dev(?:elopment)?|val(?:id(?:ation)?)?|test)_?images\.txt$", re.IGNORECASE
)
_FIX_LISTS = "lists of images are called <name>.trainImages.txt"
_TEXTS = (".txt", ".token", ".csv", ".tsv", ".json", ".gz", ".zip")
_LINE = re.compile(r"(?P<name>[^\t]+)#\d+\t(?P<caption>.*)")
_PART = "flickr"


class Flickr8k(KarpathySplits, CaptionSource):
    """Flickr8k or Flickr30k, as files in a folder, at any depth.

    - captions: `Flickr8k.token.txt`, `results_20130124.token`, …, but not
      `Flickr8k.lemma.token.txt`: lines of `<file>#<number><TAB><caption>`;
    - the images of each split, a file name on each line: `Flickr_8k.trainImages.txt`,
      `Flickr_8k.devImages.txt` (the split `validation`), `Flickr_8k.testImages.txt`; without such
      lists all images are `train`, and with `karpathy` that file says which split each is in;
    - images: whatever folder has them.

    An image's number is that with which its file's name begins, Flickr's own, if no other image
    has it; else a hash of the name.

    Example:
        >>> source = Flickr8k(path=Path("data/flickr30k"), karpathy=Path("dataset_flickr30k.json"))
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP

    Source:
        Hodosh, Young & Hockenmaier, "Framing Image Description as a Ranking Task" (2013);
        Karpathy & Fei-Fei, "Deep Visual-Semantic Alignments" (2015), for the splits.
    """

    kind: Literal["flickr8k"] = "flickr8k"
    path: FilePath = setting(help="the folder that holds them")
    captions: InnerPath | None = setting(
        None, "the file of captions, relative to path; null: the one called like those above"
    )
    karpathy: InnerPath | None = setting(
        None,
        "Karpathy's dataset_flickr8k.json or dataset_flickr30k.json, relative to path; null: the "
        "lists of images of each split",
    )

    @cached_property
    def _found(self) -> tuple[Path, dict[str, Path], Path]:
        """The file of captions, the list of each split, and the folder of images."""
        check_folder(self._folder, "Flickr8k", WHERE_TO_GET_IT)
        tokens, folders = list[Path](), [self._folder]
        lists: dict[str, Path] = {}
        for root, listing in walk_raw(self._folder):
            folders += (root / child for child in listing.folders)
            tokens += (root / name for name in listing.files if _TOKENS.search(name))
            for name in listing.files:
                if found := _LIST.search(name):
                    _add_list(lists, split_of_name(found[1].lower()) or "train", root / name)
        captions = self._captions_of(tokens)
        for path in (captions, *lists.values()):
            check_text_file(path, "utf-8")
        if self._karpathy is None and lists and "train" not in lists:
            got, fix = ", ".join(path.name for path in lists.values()), "add it, or remove them all"
            raise UserError(str(self._folder), "a list *trainImages.txt", got, fix)
        return captions, lists, _images_folder(folders, captions)

    def _captions_of(self, tokens: list[Path]) -> Path:
        """The file of captions: the one that is named, or else the only one of words as written."""
        if self.captions is not None:
            return self._folder / self.captions
        written = [path for path in tokens if not _LEMMAS.search(path.name)] or tokens
        if len(written) == 1:
            return written[0]
        got = ", ".join(sorted(path.name for path in written)) or "none"
        expected = "one file of captions (*.token.txt) here or further down"
        fix = "name one as data.source.captions" if written else WHERE_TO_GET_IT
        raise UserError(str(self._folder), expected, got, fix)

    @cached_property
    def _splits(self) -> ImageSplits | None:
        """The split of each image by its file's name; None where nothing tells of splits."""
        if self._karpathy is not None:
            return read_karpathy(self._karpathy, "filename")
        _, lists, _ = self._found
        names = [(name, split) for split, path in lists.items() for name in _read_list(path)]
        return ImageSplits(names, "none of the lists names this image") if lists else None

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that Karpathy's file names, or that there are lists for."""
        if self._splits is None:
            return frozenset(["train"])
        return self._splits.names

    @property
    def settings(self) -> Mapping[str, Any]:
        """Whether Karpathy's splits count; the rest shows in `raw_files`."""
        return {"karpathy": self.karpathy is not None}

    @property
    def notices(self) -> Sequence[str]:
        """Lemmas, other files that are called after a split, and images without captions."""
        tokens, lists, folder = self._found
        lists = {} if self._karpathy else lists
        read = {tokens, *lists.values()}
        paths = (root / name for root, listing in walk_raw(self._folder) for name in listing.files)
        left = {path.name for path in paths if path not in read}
        lemmas = set(filter(_TOKENS.search, left))
        like_lists = {n for n in left - lemmas if split_of_name(n) and n.lower().endswith(_TEXTS)}
        listed = [name for path in lists.values() for name in _read_list(path)]
        captioned = {found["name"] for line in _read_lines(tokens) if (found := _LINE.match(line))}
        return [
            *left_out_notices(lemmas, "name it as data.source.captions"),
            *left_out_notices(() if self._karpathy else like_lists, _FIX_LISTS),
            *unused_notices(listed, captioned, f"{tokens.name} has no captions of"),
            *unused_notices(ImageIndex(folder).images, captioned, f"{tokens.name} does not name"),
        ]

    def prepare(self, progress: Progress) -> None:
        """Checks that captions, splits and images are there; see `Source`."""
        _ = self._found, self._splits
        progress(1, 1)

    def partitions(self) -> list[str]:
        """The whole, as one partition: its captions are one small file."""
        return [_PART]

    def read(self, partition: str) -> Iterator[Reference | DeadLetter]:
        """The images with their captions, in the order of the file.

        Yields:
            References with the fields of `CaptionFields` and dead letters for lines that are not in
            the format and for images without file or split.
        """
        tokens, _, folder = self._found
        captions: dict[str, list[str]] = {}
        for number, line in enumerate(_read_lines(tokens), start=1):
            if found := _LINE.fullmatch(line):
                captions.setdefault(found["name"], []).append(found["caption"])
            elif line.strip():
                reason = "not of the form <file>#<number><TAB><caption>"
                yield DeadLetter(f"{partition}/line {number}", tokens.name, "read captions", reason)
        files, numbers = ImageIndex(folder), _number_images(captions)
        for name, texts in captions.items():
            try:
                yield refer_captions(
                    partition,
                    self._split_of(name),
                    image_id=numbers[name],
                    image=files.find_name(name),
                    captions=texts,
                )
            except BadRecord as bad:
                key = f"{partition}/{numbers[name]}"
                yield DeadLetter(key, f"{tokens.name}: {name}", bad.step, bad.reason)

    def _split_of(self, name: str) -> str:
        return "train" if self._splits is None else self._splits.find(name)

    def raw_files(self) -> Iterator[Path]:
        """The captions, what tells of the splits, and all images of the folder."""
        tokens, lists, folder = self._found
        yield tokens
        yield from lists.values() if self._karpathy is None else [self._karpathy]
        yield from (folder / name for name in ImageIndex(folder).images)


def _read_lines(path: Path) -> list[str]:
    text = read_all(path).decode("utf-8-sig", errors="surrogateescape")
    return [line.removesuffix("\r") for line in text.split("\n")]


def _read_list(path: Path) -> list[str]:
    """The names in a list of images.

    Raises:
        UserError: there are none.
    """
    names = [stripped for name in _read_lines(path) if (stripped := name.strip())]
    if not names:
        fix = "correct it, or take it away"
        raise UserError(str(path), "the names of images", "an empty list", fix)
    return names


def _images_folder(folders: list[Path], tokens: Path) -> Path:
    """The first folder with any of the images that have captions."""
    names = {found["name"] for line in _read_lines(tokens) if (found := _LINE.fullmatch(line))}
    if not names:
        expected, got = "lines of <file>#<number><TAB><caption>", "none"
        raise UserError(str(tokens), expected, got, WHERE_TO_GET_IT)
    for folder in sorted(folders, key=lambda path: (len(path.parts), path)):
        index = ImageIndex(folder)
        if any(map(index.has_name, names)):
            return folder
    expected = f"a folder with the images of {tokens.name}, e.g. {min(names)}"
    raise UserError(str(folders[0]), expected, "none here or further down", WHERE_TO_GET_IT)


def _add_list(lists: dict[str, Path], split: str, path: Path) -> None:
    if split in lists:
        got, fix = f"{lists[split].name} and {path.name}", "move one of them away"
        raise UserError(str(path.parent), f"one list of images for {split}", got, fix)
    lists[split] = path


def _number_images(names: Iterable[str]) -> dict[str, int]:
    """The number of each image by its file's name."""
    leading = {name: re.match(r"\d{1,18}", name) for name in names}
    often = Counter(int(found[0]) for found in leading.values() if found)
    return {
        name: int(found[0]) if found and often[int(found[0])] == 1 else hash_id(name)
        for name, found in leading.items()
    }
