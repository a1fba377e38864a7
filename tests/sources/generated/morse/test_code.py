"""The Morse code."""

import string

import pytest

from rnnpipe.sources.generated.morse.code import MORSE, morse_units


def test_every_letter_and_digit_has_a_code_of_its_own():
    assert set(MORSE) == {*string.ascii_lowercase, *string.digits}
    assert len(set(MORSE.values())) == len(MORSE)
    assert {mark for code in MORSE.values() for mark in code} == {".", "-"}


def test_digits_have_five_marks_and_letters_at_most_four():
    assert {len(MORSE[digit]) for digit in string.digits} == {5}
    assert sorted({len(MORSE[letter]) for letter in string.ascii_lowercase}) == [1, 2, 3, 4]


@pytest.mark.parametrize(("word", "units"), [("paris", 50), ("codex", 60)])
def test_the_words_that_speeds_are_measured_in_have_their_lengths(word, units):
    # With the gap between words, as in a text that goes on.
    assert sum(mark + gap for mark, gap in morse_units(word)) + 7 == units


def test_sos_in_two_words():
    dots, dash = [(1, 1), (1, 1), (1, 3)], (3, 1)
    assert list(morse_units("so s")) == [*dots, dash, dash, (3, 7), (1, 1), (1, 1), (1, 0)]
