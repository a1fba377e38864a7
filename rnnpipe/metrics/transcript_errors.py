"""The errors of transcripts: what a hypothesis has in the place of its reference."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from rnnpipe.errors import UserError
from rnnpipe.metrics.checks import check_some

if TYPE_CHECKING:
    import jiwer

Unit: TypeAlias = Literal["word", "character"]
"""What errors are counted of; the space between two words is a character."""

NormalizeText: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """How often units of references are recognised, and in which ways they are not.

    Counts are added by `+`: rates of several utterances are those of all their units together.

    Args:
        hits: recognised.
        substitutions: another unit in their place.
        insertions: units of hypotheses that no reference has.
        deletions: missing.
    """

    hits: int = 0
    substitutions: int = 0
    insertions: int = 0
    deletions: int = 0

    @property
    def units(self) -> int:
        """How many units the references have."""
        return self.hits + self.substitutions + self.deletions

    @property
    def errors(self) -> int:
        """How many errors there are."""
        return self.substitutions + self.insertions + self.deletions

    @property
    def rate(self) -> float:
        """Errors for each unit of the references, which insertions may raise above 1.

        Without any units it is the number of insertions, as if there were one: 0 if the hypotheses
        are empty too.
        """
        return self.errors / max(self.units, 1)

    def __add__(self, other: "ErrorCounts") -> "ErrorCounts":
        return ErrorCounts(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.insertions + other.insertions,
            self.deletions + other.deletions,
        )


class AlignedUnit(NamedTuple):
    """A word, or a character, of a reference beside that of the hypothesis.

    Args:
        kind: whether they agree, or what the error is.
        hypothesis: of the hypothesis; None where it is missing.
        reference: of the reference; None where there is none.
    """

    kind: Literal["hit", "substitution", "insertion", "deletion"]
    hypothesis: str | None
    reference: str | None


def count_errors(
    hypotheses: Sequence[str],
    references: Sequence[str],
    unit: Unit = "word",
    *,
    normalize: NormalizeText | None = None,
) -> list[ErrorCounts]:
    """The errors of each transcript.

    Args:
        hypotheses: the transcripts.
        references: a reference for each.
        unit: what is counted.
        normalize: what both go through first; see `score_transcripts`.

    Raises:
        UserError: there is nothing to score, or not a reference for each transcript.

    Example:
        >>> count_errors(["a b"], ["a c d"])
        [ErrorCounts(hits=1, substitutions=1, insertions=0, deletions=1)]
    """
    check_pairs(hypotheses, references)
    output = _compare(hypotheses, references, unit, normalize)
    counts = []
    for chunks in output.alignments:
        found = Counter[str]()
        for chunk in chunks:
            found[chunk.type] += _size(chunk)
        counts.append(
            ErrorCounts(found["equal"], found["substitute"], found["insert"], found["delete"])
        )
    return counts


def align_transcript(
    hypothesis: str,
    reference: str,
    unit: Unit = "word",
    *,
    normalize: NormalizeText | None = None,
) -> list[AlignedUnit]:
    """A transcript beside its reference, with the fewest errors.

    Args:
        hypothesis: the transcript.
        reference: the reference.
        unit: what is aligned.
        normalize: what both go through first; see `score_transcripts`.

    Example:
        >>> for unit in align_transcript("a cat sits", "the cat sits down"):
        ...     print(unit.kind, unit.hypothesis, unit.reference)
        substitution a the
        hit cat cat
        hit sits sits
        deletion None down
    """
    output = _compare([hypothesis], [reference], unit, normalize)
    return list(_aligned(output.alignments[0], output.hypotheses[0], output.references[0]))


def count_confusions(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    normalize: NormalizeText | None = None,
) -> Counter[AlignedUnit]:
    """How often each error of words occurs, e.g. for a list of the most common ones.

    Args:
        hypotheses: the transcripts.
        references: a reference for each.
        normalize: what both go through first; see `score_transcripts`.

    Raises:
        UserError: there is nothing to score, or not a reference for each transcript.

    Example:
        >>> count_confusions(["a cat", "a dog"], ["the cat", "the dog"]).most_common(1)
        [(AlignedUnit(kind='substitution', hypothesis='a', reference='the'), 2)]
    """
    check_pairs(hypotheses, references)
    output = _compare(hypotheses, references, "word", normalize)
    rows = zip(output.alignments, output.hypotheses, output.references, strict=True)
    return Counter(unit for row in rows for unit in _aligned(*row) if unit.kind != "hit")


def check_pairs(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    """Checks that there are transcripts, and a reference for each.

    Raises:
        UserError: there are not.
    """
    check_some("transcripts", hypotheses)
    if len(hypotheses) != len(references):
        expected = f"a reference for each of {len(hypotheses)}"
        raise UserError("transcripts", expected, str(len(references)), "pair them")


def _compare(
    hypotheses: Sequence[str],
    references: Sequence[str],
    unit: Unit,
    normalize: NormalizeText | None,
) -> "jiwer.WordOutput | jiwer.CharacterOutput":
    from jiwer import process_characters, process_words  # noqa: PLC0415  # only where it is needed

    clean = normalize or str
    said, written = (
        [" ".join(clean(text).split()) for text in texts] for texts in (hypotheses, references)
    )
    if unit == "word":
        return process_words(written, said)
    return process_characters(written, said)


def _aligned(
    chunks: Iterable[Any], hypothesis: Sequence[str], reference: Sequence[str]
) -> Iterator[AlignedUnit]:
    kinds: dict[str, Any] = {
        "equal": "hit",
        "substitute": "substitution",
        "insert": "insertion",
        "delete": "deletion",
    }
    for chunk in chunks:
        for at in range(_size(chunk)):
            said = None if chunk.type == "delete" else hypothesis[chunk.hyp_start_idx + at]
            written = None if chunk.type == "insert" else reference[chunk.ref_start_idx + at]
            yield AlignedUnit(kinds[chunk.type], said, written)


def _size(chunk: Any) -> int:
    """How many units a chunk of an alignment has; a substitution has as many on both sides."""
    said = chunk.hyp_end_idx - chunk.hyp_start_idx
    return int(max(said, chunk.ref_end_idx - chunk.ref_start_idx))
