import pytest

from rnnpipe.decoding import WordTime, word_times

SPANS = [[0, 1], [2, 3], [3, 5], [6, 9]]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["▁a", "b", "▁c", "d"], [("ab", 0.0, 0.6), ("cd", 0.6, 1.8)]),
        (["a", "▁", "c", "d"], [("a", 0.0, 0.2), ("cd", 0.6, 1.8)]),
        (["▁", "▁", "c", "▁"], [("c", 0.6, 1.0)]),
        (["a", "b", "c", "d"], [("abcd", 0.0, 1.8)]),
    ],
)
def test_pieces_are_joined_to_words(pieces, expected):
    found = word_times(pieces, SPANS, frame_seconds=0.2)
    assert [word.word for word in found] == [word for word, _, _ in expected]
    for word, (_, start, end) in zip(found, expected, strict=True):
        assert (word.start, word.end) == pytest.approx((start, end))


def test_no_tokens_are_no_words():
    assert word_times([], [], frame_seconds=0.2) == []
    assert word_times(["a"], [[1, 3]], 1.0) == [WordTime("a", 1.0, 3.0)]
