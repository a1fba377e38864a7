"""The files of a folder of raw data by their names, and its images by their numbers."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from rnnpipe.errors import BadRecord
from rnnpipe.sources.ids import read_id
from rnnpipe.sources.raw_files import fold_name, is_inside, list_raw
from rnnpipe.storage.endings import IMAGE_ENDINGS
from rnnpipe.storage.paths import find_impossible

_DIGITS = "0123456789"
_STEP = "find image"


class FileIndex:
    """The files of a folder by their names, or by their paths relative to it.

    Each folder is listed once, when it is needed, and no file is opened. Names are equal if they
    are the same text: whether letters and their accents are one code point or two, as on macOS,
    does not count.

    Args:
        folder: a folder; one that is missing holds nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: dict[str, dict[str, list[str]]] = {}

    def find_name(self, name: object) -> Path:
        """The file of a name, which may be a path relative to the folder.

        Raises:
            BadRecord: there is no such file in the folder (step `find image`).
        """
        return self.folder / self._locate(name)

    def _locate(self, name: object) -> str:
        """The path from the folder to the file of a name."""
        if not isinstance(name, str) or not name:
            raise BadRecord(_STEP, f"not the name of a file: {name!r:.100}")
        inside, spelled = "", name
        if "/" in name or "\\" in name:
            path = PurePosixPath(name if self._is_there(name) else name.replace("\\", "/"))
            if not is_inside(str(path)):
                raise BadRecord(_STEP, f"{name} is not inside the folder")
            inside, spelled = _inside(path), path.name
        same = self._names_in(inside).get(fold_name(spelled), [])
        if not same:
            raise BadRecord(_STEP, "its file is not there")
        if len(same) > 1 and spelled not in same:
            raise BadRecord(_STEP, f"{len(same)} files are called {name} in Unicode")
        found = spelled if spelled in same else same[0]
        return _join(inside, found)

    def find_names(self, names: Iterable[object]) -> Iterator[str]:
        """The files of those names that are there, by their paths from the folder."""
        for name in names:
            try:
                yield self._locate(name)
            except BadRecord:
                continue

    def _is_there(self, name: str) -> bool:
        return "/" not in name and fold_name(name) in self._names_in("")

    def has_name(self, name: object) -> bool:
        """Whether there is such a file, see `find_name`."""
        try:
            return bool(self.find_name(name))
        except BadRecord:
            return False

    def _names_in(self, inside: str) -> dict[str, list[str]]:
        """The files of a folder in the folder, by the form in which names are compared."""
        if inside not in self._names:
            names: dict[str, list[str]] = {}
            # A folder that no disk can have is empty, and not one that may not be listed.
            listing = [] if find_impossible(inside) else list_raw(self.folder / inside).files
            for name in listing:
                names.setdefault(fold_name(name), []).append(name)
            self._names[inside] = names
        return self._names[inside]


class ImageIndex(FileIndex):
    """The images of a folder, by the number that their names end in or by their names.

    `COCO_train2014_000000000009.jpg`, `000000000009.webp` and `9.png` are all image 9.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     (Path(folder) / "street_0009.webp").touch()
        ...     index = ImageIndex(Path(folder))
        ...     index.find_number(9).name, index.find_name("street_0009.webp").name
        ('street_0009.webp', 'street_0009.webp')
    """

    @cached_property
    def images(self) -> list[str]:
        """The names of the images that lie in the folder itself, in order."""
        return self._images_in("")

    def images_in(self, folders: Iterable[str]) -> Iterator[str]:
        """The images in folders of the folder, by their paths from it; "" is itself."""
        for inside in folders:
            yield from (_join(inside, name) for name in self._images_in(inside))

    def _images_in(self, inside: str) -> list[str]:
        names = self._names_in(inside).values()
        return sorted(name for same in names for name in same if is_image(name))

    @cached_property
    def numbers(self) -> dict[int, list[str]]:
        """The names that end in each number; an image has one of its own if there is but one."""
        numbers: dict[int, list[str]] = {}
        for name in self.images:
            stem = name.rpartition(".")[0]
            if digits := stem[len(stem.rstrip(_DIGITS)) :]:
                numbers.setdefault(int(digits), []).append(name)
        return numbers

    def find_number(self, number: int) -> Path:
        """The file of an image, by its number.

        Raises:
            BadRecord: none has it, or several have (step `find image`).
        """
        names = self.numbers.get(number, [])
        if not names:
            raise BadRecord(_STEP, f"no image has the number {number}")
        if len(names) > 1:
            raise BadRecord(_STEP, f"{len(names)} images have the number {number}: {_some(names)}")
        return self.folder / names[0]

    def find_id(self, value: object) -> Path:
        """The file of an image, by its number, or by its name with or without ending.

        Raises:
            BadRecord: there is no such file, or there are several (step `find image`).
        """
        if isinstance(value, str) and not value.strip().isdecimal():
            return self.find_name(self._stems.get(fold_name(value.strip()), value.strip()))
        number = read_id(value)
        if number is None:
            raise BadRecord(_STEP, f"not an id: {value!r:.100}")
        return self.find_number(number)

    def names_of(self, ids: Iterable[object]) -> set[str]:
        """The names of the images that have one of some ids, also where several have it."""
        names = set[str]()
        for value in ids:
            try:
                names.add(self.find_id(value).name)
            except BadRecord:
                number = read_id(value)
                names.update([] if number is None else self.numbers.get(number, []))
        return names

    def has_id(self, value: object) -> bool:
        """Whether an image has such an id, be it one of several."""
        if isinstance(value, str) and not value.strip().isdecimal():
            return self.has_name(self._stems.get(fold_name(value.strip()), value.strip()))
        return read_id(value) in self.numbers

    @cached_property
    def _stems(self) -> dict[str, str]:
        """The names without ending that one image alone has."""
        stems: dict[str, list[str]] = {}
        for name in self.images:
            stems.setdefault(fold_name(name.rpartition(".")[0]), []).append(name)
        return {stem: names[0] for stem, names in stems.items() if len(names) == 1}


def folder_of(name: object) -> str:
    """The folder in a file's name, "" where there is none, or where it is no name.

    Example:
        >>> folder_of("a/b/1.jpg"), folder_of("1.jpg"), folder_of(None)
        ('a/b', '', '')
    """
    if not isinstance(name, str):
        return ""
    return _inside(PurePosixPath(name.replace("\\", "/"))) if is_inside(name) else ""


def _join(inside: str, name: str) -> str:
    return f"{inside}/{name}" if inside else name


def _inside(path: PurePosixPath) -> str:
    parent = path.parent.as_posix()
    return "" if parent == "." else parent


def is_image(name: str) -> bool:
    """Whether a file is an image, by the ending of its name."""
    return name.lower().endswith(IMAGE_ENDINGS)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
