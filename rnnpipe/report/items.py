"""What a report can show: data alone, which the page renders.

A new kind of item is a dataclass here, its name in `ReportItem`, and a macro of the same name, in
lower case, in `rnnpipe/report/items.html`.
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
class Calibration:
    """How sure a model was against how often it was right.

    Args:
        title: of which model.
        points: groups of records of which it was about equally sure: its mean confidence, the
            share that it got right, and how many there are.
        note: a sentence on how to read it.

    Raises:
        ValueError: a confidence or a share is not within [0, 1].
    """

    title: str
    points: Sequence[tuple[float, float, int]]
    note: str = ""

    def __post_init__(self) -> None:
        for confidence, share, _ in self.points:
            if not (0 <= confidence <= 1 and 0 <= share <= 1):
                raise ValueError(
                    f"calibration {self.title!r}: expected shares within [0, 1], got"
                    f" {confidence} and {share}"
                )


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
class Sound:
    """A sound of a sample, which the page plays.

    Args:
        wav: the bytes of a WAV file.
        caption: a few words, also read to those who cannot see the player.
    """

    wav: bytes
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
class Span:
    """A piece of a text.

    Args:
        text: the piece; it begins with a space where a word begins.
        weight: how strongly it is shaded, within [0, 1].
    """

    text: str
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One record with the model's answers and its attention.

    Args:
        title: the record itself where that is short, e.g. the question.
        subtitle: what it is, e.g. the kind of question.
        right: whether the model was right; None if unknown.
        score: how well it did.
        pictures: the image, then what was attended to.
        answers: the most probable first.
        facts: pairs of a name and what is so called, e.g. what people answered.
        spans: the text of the record, shaded by what was attended to.
        sounds: the recording.
    """

    title: str
    subtitle: str = ""
    right: bool | None = None
    score: float | None = None
    pictures: Sequence[Picture] = ()
    answers: Sequence[Answer] = ()
    facts: Sequence[tuple[str, str]] = ()
    spans: Sequence[Span] = ()
    sounds: Sequence[Sound] = ()


@dataclass(frozen=True, slots=True)
class Gallery:
    """Samples that belong together, e.g. the worst errors.

    Args:
        title: what they have in common.
        note: how they were chosen, and how to read them.
        samples: in the order in which they are shown.
        wide: whether each has the page's whole width, as its pictures are wide.
    """

    title: str
    note: str
    samples: Sequence[Sample]
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A text with its own spaces and line breaks, shaded piece by piece.

    Args:
        title: what it is.
        spans: its pieces; their texts are joined as they are.
        note: a sentence on how to read it.
    """

    title: str
    spans: Sequence[Span]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing over the page's whole width.

    Args:
        title: what it shows.
        picture: the drawing.
        note: how to read it.
    """

    title: str
    picture: Picture
    note: str = ""


ReportItem = Table | Confusion | Calibration | Gallery | Passage | Figure
"""What a report can show."""
