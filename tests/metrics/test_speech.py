"""Error rates against edit distances by their definition, and what is normal of a text."""

import functools
import itertools

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.metrics.speech import (
    TranscriptNormalizer,
    duration_bin,
    score_groups,
    score_transcripts,
)
from rnnpipe.metrics.transcript_errors import (
    ErrorCounts,
    align_transcript,
    count_confusions,
    count_errors,
)

HYPOTHESES = ["the cat sat on mat", "a dog", "", "oh", "one two three", ""]
REFERENCES = ["the cat sat on the mat", "the dogs", "hello there", "", "one two three", ""]


def distance(hypothesis, reference):
    """The fewest errors, by the recursion that defines them."""

    @functools.cache
    def fewest(said, written):
        if not said or not written:
            return said + written
        same = hypothesis[said - 1] == reference[written - 1]
        return min(
            fewest(said - 1, written - 1) + (not same),
            fewest(said - 1, written) + 1,
            fewest(said, written - 1) + 1,
        )

    return fewest(len(hypothesis), len(reference))


@pytest.mark.parametrize("unit", ["word", "character"])
def test_errors_are_edit_distances(unit):
    random = np.random.default_rng(4)
    texts = [" ".join(random.choice(["a", "b", "cd"], random.integers(0, 7))) for _ in range(40)]
    hypotheses, references = texts[:20], texts[20:]
    cut = str.split if unit == "word" else list
    counts = count_errors(hypotheses, references, unit)
    for said, written, found in zip(hypotheses, references, counts, strict=True):
        assert found.errors == distance(cut(said), cut(written))
        assert found.units == len(cut(written))
        assert found.units - found.deletions + found.insertions == len(cut(said))


@pytest.mark.parametrize("unit", ["word", "character"])
def test_an_alignment_has_both_texts_and_its_errors(unit):
    joint = " " if unit == "word" else ""
    for said, written in itertools.product(HYPOTHESES, REFERENCES):
        aligned = align_transcript(said, written, unit)
        assert joint.join(u.hypothesis for u in aligned if u.hypothesis is not None) == said
        assert joint.join(u.reference for u in aligned if u.reference is not None) == written
        (counts,) = count_errors([said], [written], unit)
        kinds = [unit.kind for unit in aligned]
        expected = (counts.hits, counts.substitutions, counts.insertions, counts.deletions)
        names = ("hit", "substitution", "insertion", "deletion")
        assert tuple(map(kinds.count, names)) == expected
        for pair in aligned:
            assert (pair.kind == "hit") == (pair.hypothesis == pair.reference)


def test_rates_are_those_of_all_units_together():
    # Of 13 words: "the" is missing; two are others; two are missing; one is inserted.
    scores = score_transcripts(HYPOTHESES, REFERENCES)
    assert scores == pytest.approx(
        {
            "wer": 6 / 13,
            "cer": sum(map(distance, HYPOTHESES, REFERENCES)) / sum(map(len, REFERENCES)),
            "ser": 4 / 6,
            "substitutions": 2 / 13,
            "insertions": 1 / 13,
            "deletions": 3 / 13,
        }
    )


def test_silence_is_no_error_and_every_word_in_it_is_one():
    assert score_transcripts([""], [""]) == dict.fromkeys(
        ("wer", "cer", "ser", "substitutions", "insertions", "deletions"), 0.0
    )
    heard = score_transcripts(["oh no"], [""])
    assert (heard["wer"], heard["cer"], heard["ser"], heard["insertions"]) == (2.0, 5.0, 1.0, 2.0)
    assert score_transcripts([""], ["oh no"])["wer"] == 1.0
    assert ErrorCounts().rate == 0.0


def test_white_space_is_no_error():
    assert score_transcripts(["  a\tb\n"], ["a b"])["cer"] == 0


def test_case_and_punctuation_count_unless_they_are_normalised():
    said, written = ["well don't go 3.5 miles"], ["Well, don’t go: 3.5 miles!"]
    assert score_transcripts(said, written)["wer"] > 0
    assert score_transcripts(said, written, normalize=TranscriptNormalizer())["wer"] == 0
    cased = TranscriptNormalizer(lowercase=False)
    assert cased("Well, OK - go!") == "Well OK go"
    marked = TranscriptNormalizer(drop_punctuation=False)
    assert marked("Well, OK!") == "well, ok!"
    assert TranscriptNormalizer()("… -- !") == ""


def test_groups_have_their_own_scores():
    groups = ["ann", "bob", "ann", "bob", "ann", "ann"]
    scores = score_groups(HYPOTHESES, REFERENCES, groups)
    assert list(scores) == ["ann", "bob"]
    assert {group: part["utterances"] for group, part in scores.items()} == {"ann": 4, "bob": 2}
    assert scores["ann"]["wer"] == pytest.approx(3 / 11)
    assert scores["bob"]["wer"] == pytest.approx(3 / 2)


def test_confusions_are_counted():
    counts = count_confusions(["a cat", "a dog ran", "b"], ["the cat", "the dog", "b"])
    assert {(unit.hypothesis, unit.reference): count for unit, count in counts.items()} == {
        ("a", "the"): 2,
        ("ran", None): 1,
    }


@pytest.mark.parametrize(("seconds", "label"), [(0, "0-2 s"), (2, "0-2 s"), (15.1, "15+ s")])
def test_durations_fall_into_bins(seconds, label):
    assert duration_bin(seconds) == label


def test_wrong_numbers_of_texts_are_refused():
    with pytest.raises(UserError, match="transcripts: expected at least one, got none"):
        score_transcripts([], [])
    with pytest.raises(UserError, match="expected a reference for each of 2, got 1"):
        count_confusions(["a", "b"], ["a"])
    with pytest.raises(UserError, match="expected a group for each of 1, got 2"):
        score_groups(["a"], ["a"], ["x", "y"])
