"""What a task shows of its results: data alone, which the report turns into a page.

A new kind of exhibit is a dataclass here, its name in `Exhibit`, and a macro of the same name, in
lower case, in `rnnpipe/runs/report/exhibits.html`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | None
"""What a table shows in one place; `None` is shown as empty."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of names and numbers.

    Fractions (columns of floats that all lie within [0, 1]) are shown with a bar.

    Args:
        title: what the rows are about.
        columns: the head of each column; the first column names the row.
        rows: one cell per column.
        note: a sentence on how to read it.
        highlight: what matters most: the index of a row, or the head of a column.

    Raises:
        ValueError: a row has more or fewer cells than there are columns.

    Example:
        >>> Table("Scores", ("", "accuracy"), (("model", 0.95), ("always yes", 0.5)), highlight=0)
        Table(title='Scores', columns=('', 'accuracy'), rows=(('model', 0.95), ('always yes', 0.5)), note='', highlight=0)
    """  # noqa: E501  the example's output is one line

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    highlight: int | str | None = None

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.title!r}: expected {len(self.columns)} cells, got {row!r}"
                )


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each right answer was answered with each answer.

    Args:
        title: what is counted.
        labels: the answers.
        counts: `counts[right][given]`, shape `(labels, labels)`.
        note: a sentence on how to read it.

    Raises:
        ValueError: `counts` is not as long and as wide as there are labels.
    """

    title: str
    labels: Sequence[str]
    counts: Sequence[Sequence[int]]
    note: str = ""

    def __post_init__(self) -> None:
        size = len(self.labels)
        if [len(row) for row in self.counts] != [size] * size:
            raise ValueError(f"confusion {self.title!r}: counts must be {size} by {size}")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of a sample.

    Args:
        png: the bytes of a PNG file.
        caption: a few words, also read to those who cannot see the picture.
    """

    png: bytes
    caption: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the answers that the model considered.

    Args:
        text: the answer.
        probability: the model's, within [0, 1].
        right: whether it counts as right.
    """

    text: str
    probability: float
    right: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """One record, what the model made of it, and where it looked.

    Args:
        title: the record itself where that is short, e.g. the question.
        subtitle: what it is, e.g. the kind of question.
        right: whether the model was right, where that can be said.
        score: how well it did.
        pictures: the image, then what was attended to.
        answers: the most probable first.
        facts: pairs of a name and what is so called, e.g. what people answered.
    """

    title: str
    subtitle: str = ""
    right: bool | None = None
    score: float | None = None
    pictures: Sequence[Picture] = ()
    answers: Sequence[Answer] = ()
    facts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Gallery:
    """Samples that belong together, e.g. the worst errors.

    Args:
        title: what they have in common.
        note: how they were chosen, and how to read them.
        samples: in the order in which they are shown.
    """

    title: str
    note: str
    samples: Sequence[Sample]


Exhibit = Table | Confusion | Gallery
"""What a report can show."""
