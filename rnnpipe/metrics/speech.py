"""How well transcripts agree with references: error rates of words, characters and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

from rnnpipe.errors import UserError
from rnnpipe.metrics.transcript_errors import (
    ErrorCounts,
    NormalizeText,
    check_pairs,
    count_errors,
)
from rnnpipe.text.normalize import Normalizer

SECONDS = (2, 5, 10, 15)
"""The last seconds of the bins of `duration_bin`, but for the open one."""


@dataclass(frozen=True, slots=True)
class TranscriptNormalizer:
    """Makes texts uniform before they are compared: error rates depend on it, so name it with them.

    White space, quotes and compatibility forms of characters are made uniform in any case.

    Args:
        lowercase: whether case counts for nothing.
        drop_punctuation: whether words are compared without punctuation and symbols beside them;
            those inside of a word or number, as in *don't* and *3.5*, stay.

    Example:
        >>> TranscriptNormalizer()("Don’t  go,  please!")
        "don't go please"
    """

    lowercase: bool = True
    drop_punctuation: bool = True

    def __call__(self, text: str) -> str:
        """The uniform text."""
        normalizer = Normalizer(lowercase=self.lowercase, split_punctuation=self.drop_punctuation)
        text = normalizer(text)
        if not self.drop_punctuation:
            return text
        return " ".join(word for word in text.split() if any(map(str.isalnum, word)))


def score_transcripts(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    normalize: NormalizeText | None = None,
) -> dict[str, float]:
    """Error rates of transcripts, over all units of all references together.

        WER = (substitutions + insertions + deletions) / words of the references

    Args:
        hypotheses: the transcripts.
        references: a reference for each; it may be empty, where nothing is said.
        normalize: what both go through first, e.g. a `TranscriptNormalizer`; None: they are
            compared as they are, but for white space.

    Returns:
        `wer` and `cer`, the error rates of words and of characters; `ser`, the share of the
        transcripts with an error; and of words `substitutions`, `insertions` and `deletions`, each
        divided as the WER, which is their sum.

    Raises:
        UserError: there is nothing to score, or not a reference for each transcript.

    Example:
        >>> scores = score_transcripts(["the cat sat", "hi"], ["the cat sat down", "hi"])
        >>> scores["wer"], scores["deletions"], scores["ser"]
        (0.2, 0.2, 0.5)

    Source: Morris, Maier and Green, From WER and RIL to MER and WIL, 2004, section 2; computed by
    jiwer.
    """
    words = count_errors(hypotheses, references, normalize=normalize)
    characters = count_errors(hypotheses, references, "character", normalize=normalize)
    total = sum(words, ErrorCounts())
    units = max(total.units, 1)
    return {
        "wer": total.rate,
        "cer": sum(characters, ErrorCounts()).rate,
        "ser": sum(counts.errors > 0 for counts in words) / len(words),
        "substitutions": total.substitutions / units,
        "insertions": total.insertions / units,
        "deletions": total.deletions / units,
    }


def score_groups(
    hypotheses: Sequence[str],
    references: Sequence[str],
    groups: Sequence[str],
    *,
    normalize: NormalizeText | None = None,
) -> dict[str, dict[str, float]]:
    """The scores of each group of transcripts, and `utterances`, how many there are.

    Args:
        hypotheses: the transcripts.
        references: a reference for each.
        groups: the group of each, e.g. its speaker or its `duration_bin`.
        normalize: as for `score_transcripts`.

    Returns:
        The scores by group, in the order in which groups first come.

    Raises:
        UserError: there is nothing to score, or not a reference and a group for each.
    """
    check_pairs(hypotheses, references)
    if len(groups) != len(references):
        expected = f"a group for each of {len(references)}"
        raise UserError("transcripts", expected, str(len(groups)), "pair them")
    members: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    scores = {}
    for group, places in members.items():
        pair = ([texts[place] for place in places] for texts in (hypotheses, references))
        scores[group] = {
            **score_transcripts(*pair, normalize=normalize),
            "utterances": float(len(places)),
        }
    return scores


def duration_bin(seconds: float) -> str:
    """Which bin of durations an utterance belongs to.

    Example:
        >>> duration_bin(1.5), duration_bin(2.5), duration_bin(60)
        ('0-2 s', '2-5 s', '15+ s')
    """
    first = 0
    for last in SECONDS:
        if seconds <= last:
            return f"{first}-{last} s"
        first = last
    return f"{first}+ s"
