"""VQA v2.0: people's questions about COCO's photographs, with ten answers each."""

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import BadRecord, DeadLetter
from rnnpipe.settings import FilePath, setting
from rnnpipe.sources.file_index import ImageIndex
from rnnpipe.sources.folder import InFolder, check_folder
from rnnpipe.sources.ids import read_id
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.splits import Split
from rnnpipe.sources.vqa.fields import refer
from rnnpipe.sources.vqa.source import VqaSource
from rnnpipe.sources.vqa.vqa_v2_files import (
    WHERE_TO_GET_IT,
    VqaFiles,
    VqaLayout,
    VqaSplit,
    find_splits,
    named_splits,
)
from rnnpipe.sources.vqa.vqa_v2_json import Annotation, read_annotations, read_questions


class VqaV2(InFolder, VqaSource):
    """VQA v2.0, or data in its format, as files in a folder.

    Each split is a questions file, an annotations file (both `.json` or `.json.gz`) and a folder of
    images whose names end in their number: `COCO_train2014_000000000009.jpg`, `000000000009.jpg`.
    Without `files` the splits are found by name, at any depth:

    - questions: `v2_OpenEnded_mscoco_train2014_questions.json`, `train_questions.json.gz`, …;
    - annotations: the same name but for these words, `v2_mscoco_train2014_annotations.json`.
      Questions without annotations, as of VQA's own test splits, are left out;
    - images: the folder called like the questions' `data_subtype`, e.g. `train2014`, below `path`,
      beside it or in `images` beside it; else a folder `images`.

    What is called `train` becomes the split `train`. What is called `val` becomes `test`, as the
    answers to VQA's own test questions are not public and scores are reported on its validation
    split; where an annotated test split is there it becomes `validation`. A split alone is `train`.

    Example:
        >>> source = VqaV2(path=Path("data/vqa_v2"))
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP

    Source:
        Goyal et al., "Making the V in VQA Matter" (2017), https://visualqa.org.
    """

    kind: Literal["vqa_v2"] = "vqa_v2"
    path: FilePath = setting(help="the folder that holds them")
    files: dict[Split, VqaFiles] | None = setting(
        None, "the files of each split; null: found by their official names"
    )

    @cached_property
    def _layout(self) -> VqaLayout:
        check_folder(self._folder, "VQA v2.0", WHERE_TO_GET_IT)
        if self.files is None:
            return find_splits(self._folder)
        return named_splits(self._folder, self.files)

    @cached_property
    def _strays(self) -> dict[VqaSplit, int]:
        """How many annotations are of no question, of the splits whose annotations were read."""
        return {}

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(files.split for files in self._layout.splits)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The files that are named; those found by their names are in `raw_files`."""
        files = (self.files or {}).items()
        return {
            split: [name.as_posix() for name in (f.questions, f.annotations, f.images)]
            for split, f in files
        }

    @property
    def notices(self) -> Sequence[str]:
        """Answers to questions that nobody asks, and images that no question is about."""
        notices = list[str]()
        for files in self._layout.splits:
            if strays := self._count_strays(files):
                what = f"{strays:,} annotations of {files.annotations.name} are of no question"
                notices.append(f"data.source: {what} of {files.questions.name}, not read")
        return notices + self._layout.notices

    def prepare(self, progress: Progress) -> None:
        """Checks that questions, answers and images are there; see `Source`."""
        for done, files in enumerate(self._layout.splits, start=1):
            self._count_strays(files)
            progress(done, len(self._layout.splits))

    def _count_strays(self, files: VqaSplit) -> int:
        """How many annotations are of no question; reads them once."""
        if files not in self._strays:
            annotated = read_annotations(files.annotations).keys()
            # They are needed no more, and need not travel to workers.
            asked = self._layout.question_ids.pop(files)
            self._strays[files] = len(annotated - set(asked))
        return self._strays[files]

    def partitions(self) -> list[VqaSplit]:
        """A partition for each split.

        Reading the JSON of VQA v2.0's training split takes seconds and decoding its images an hour.
        Images are shared out among the workers afterwards, so that smaller partitions would save
        nothing, and each would read the whole JSON again.
        """
        return list(self._layout.splits)

    def read(self, partition: VqaSplit) -> Iterator[Reference | DeadLetter]:
        """The questions of a split; annotations of other questions are passed over.

        Yields:
            References with the fields of `VqaFields` and dead letters for questions that are
            malformed, asked twice under one number, or without answers or image.
        """
        annotations = read_annotations(partition.annotations)
        _, questions = read_questions(partition.questions)
        images = ImageIndex(partition.images)
        ambiguous, seen = _find_ambiguous(questions), set[int]()
        for number, entry in enumerate(questions):
            question_id = read_id(entry.get("question_id")) if isinstance(entry, dict) else None
            try:
                question_id = _check_id(question_id, entry, ambiguous, seen)
                yield _refer(partition, question_id, entry, annotations, images)
            except BadRecord as bad:
                name = f"entry {number}" if question_id is None else question_id
                key = f"{partition.subtype}/{name}"
                yield DeadLetter(key, partition.questions.name, bad.step, bad.reason)

    def raw_files(self) -> Iterator[Path]:
        """The JSON files and all images of the folders that the splits use."""
        for files in self._layout.splits:
            yield from (files.questions, files.annotations)
        for folder in dict.fromkeys(files.images for files in self._layout.splits):
            for name in ImageIndex(folder).images:
                yield folder / name


def _find_ambiguous(questions: Sequence[Any]) -> set[int]:
    """The ids of several questions: which of them was answered is unknown."""
    asked: dict[int | None, Any] = {}
    ambiguous = set[int]()
    for entry in questions:
        if isinstance(entry, dict):
            number = read_id(entry.get("question_id"))
            question = entry.get("image_id"), entry.get("question")
            if asked.setdefault(number, question) != question and number is not None:
                ambiguous.add(number)
    return ambiguous


def _check_id(question_id: int | None, entry: Any, ambiguous: Set[int], seen: set[int]) -> int:
    if question_id is None:
        found = entry.get("question_id") if isinstance(entry, dict) else entry
        raise BadRecord("read question", f"question_id is not an id: {found!r:.100}")
    if question_id in ambiguous:
        raise BadRecord("read question", "several questions have this question_id")
    if question_id in seen:
        raise BadRecord("read question", "it is asked before")
    seen.add(question_id)
    return question_id


def _refer(
    partition: VqaSplit,
    question_id: int,
    entry: dict[str, Any],
    annotations: Mapping[int, Annotation | None],
    images: ImageIndex,
) -> Reference:
    image_id = read_id(entry.get("image_id"))
    if image_id is None:
        raise BadRecord("read question", f"image_id is not an id: {entry.get('image_id')!r:.100}")
    annotation = _annotation_of(partition, question_id, image_id, annotations)
    return refer(
        partition.subtype,
        partition.split,
        question_id=question_id,
        image_id=image_id,
        image=images.find_id(entry["image_id"]),
        question=entry.get("question"),
        answers=annotation.answers,
        answer_type=annotation.answer_type,
        question_type=annotation.question_type,
    )


def _annotation_of(
    partition: VqaSplit,
    question_id: int,
    image_id: int,
    annotations: Mapping[int, Annotation | None],
) -> Annotation:
    """What people answered to a question about that image."""
    name = partition.annotations.name
    if question_id not in annotations:
        raise BadRecord("read answers", f"{name} does not have this question")
    annotation = annotations[question_id]
    if annotation is None:
        raise BadRecord("read answers", f"{name} has this question twice, with other answers")
    if annotation.image_id is not None and read_id(annotation.image_id) != image_id:
        reason = f"{name} says that it is about image {annotation.image_id!r:.100}"
        raise BadRecord("read answers", reason)
    return annotation
