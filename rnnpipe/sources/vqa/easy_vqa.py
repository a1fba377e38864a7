"""easy-VQA: drawn pictures of one coloured shape each, with questions of thirteen answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.settings import FilePath, setting
from rnnpipe.sources.file_index import ImageIndex
from rnnpipe.sources.folder import InFolder, check_folder, describe_json, read_json
from rnnpipe.sources.ids import read_id
from rnnpipe.sources.raw_files import list_raw
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.splits import SPLITS, find_splits, split_of_name, unused_notices
from rnnpipe.sources.vqa.fields import refer
from rnnpipe.sources.vqa.source import VqaSource

_ANNOTATORS = 10
_WHERE_TO_GET_IT = (
    "get easy-VQA from https://github.com/vzhou842/easy-VQA, or correct data.source.path"
)


@dataclass(frozen=True, slots=True)
class EasyVqaSplit:
    """A split of easy-VQA that is there.

    Args:
        split: what it becomes.
        folder: holds `questions.json` and `images`.
    """

    split: str
    folder: Path

    @property
    def questions(self) -> Path:
        """A list of `[question, answer, image id]`."""
        return self.folder / "questions.json"

    @property
    def images(self) -> Path:
        """A folder of `<image id>.png`."""
        return self.folder / "images"


class EasyVqa(InFolder, VqaSource):
    """easy-VQA in its own layout: `train` and `test`, each with `questions.json` and `images`.

    A folder called like `val` becomes the split `validation`; a split alone is `train`. Questions
    are numbered in the order of their file, from 0 in each split. Their one answer counts as that
    of all ten annotators. `answers.txt` is not needed: the records know their answers.

    Example:
        >>> source = EasyVqa(path=Path("data/easy_vqa"))
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP

    Source:
        https://github.com/vzhou842/easy-VQA.
    """

    kind: Literal["easy_vqa"] = "easy_vqa"
    path: FilePath = setting(help="the folder with train and test")

    @cached_property
    def _split_files(self) -> list[EasyVqaSplit]:
        check_folder(self._folder, "easy-VQA", _WHERE_TO_GET_IT)
        there = [name for name in list_raw(self._folder).folders if split_of_name(name)]
        if not there:
            raise UserError(
                str(self._folder), "the folders train and test", "neither", _WHERE_TO_GET_IT
            )
        found = find_splits(self._folder, there, "a folder")
        return [
            EasyVqaSplit(split, self._folder / found[split]) for split in SPLITS if split in found
        ]

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(files.split for files in self._split_files)

    @property
    def settings(self) -> Mapping[str, Any]:
        """None: the files say all."""
        return {}

    @property
    def notices(self) -> Sequence[str]:
        """Images that no question is about."""
        notices = list[str]()
        for files in self._split_files:
            index = ImageIndex(files.images)
            asked = (entry[2] for entry in _read_questions(files.questions) if _is_triple(entry))
            what = f"no question is about these of {files.folder.name}:"
            notices += unused_notices(index.images, index.names_of(asked), what)
        return notices

    def prepare(self, progress: Progress) -> None:
        """Checks that questions and images are there; see `Source`."""
        for done, files in enumerate(self._split_files, start=1):
            questions = _read_questions(files.questions)
            asked = [e[2] for e in questions if _is_triple(e) and read_id(e[2]) is not None]
            index = ImageIndex(files.images)
            if not any(map(index.has_id, asked)):
                raise UserError(
                    str(files.images),
                    f"the images that {files.folder.name}/questions.json asks about",
                    f"{len(index.images)} others" if index.images else "none",
                    _WHERE_TO_GET_IT,
                )
            progress(done, len(self._split_files))

    def partitions(self) -> list[EasyVqaSplit]:
        """A partition for each split: each is one small file."""
        return list(self._split_files)

    def read(self, partition: EasyVqaSplit) -> Iterator[Reference | DeadLetter]:
        """The questions of a split.

        Yields:
            References with the fields of `VqaFields` and dead letters for questions that are
            malformed or without image.
        """
        images = ImageIndex(partition.images)
        for number, entry in enumerate(_read_questions(partition.questions)):
            try:
                yield _refer(partition, number, entry, images)
            except BadRecord as bad:
                name = partition.folder.name
                yield DeadLetter(f"{name}/{number}", f"{name}/questions.json", bad.step, bad.reason)

    def raw_files(self) -> Iterator[Path]:
        """The JSON files and all images."""
        for files in self._split_files:
            yield files.questions
            for name in ImageIndex(files.images).images:
                yield files.images / name


def _read_questions(path: Path) -> list[Any]:
    questions = read_json(path)
    if not isinstance(questions, list) or not any(map(_is_triple, questions)):
        got = "a list of others" if questions else "an empty list"
        if not isinstance(questions, list):
            got = describe_json(questions)
        raise UserError(str(path), "a list of [question, answer, image id]", got, _WHERE_TO_GET_IT)
    return questions


def _is_triple(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 3


def _refer(partition: EasyVqaSplit, number: int, entry: Any, images: ImageIndex) -> Reference:
    if not _is_triple(entry):
        raise BadRecord("read question", f"not [question, answer, image id]: {entry!r:.100}")
    question, answer, image_id = entry
    number_of_image = read_id(image_id)
    if number_of_image is None:
        raise BadRecord("read question", f"not the id of an image: {image_id!r:.100}")
    return refer(
        partition.folder.name,
        partition.split,
        question_id=number,
        image_id=number_of_image,
        image=images.find_id(image_id),
        question=question,
        answers=[answer] * _ANNOTATORS,
    )
