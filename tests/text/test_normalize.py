import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnpipe.text.normalize import JOIN, Normalizer

normalizers = st.builds(
    Normalizer, st.sampled_from(["NFC", "NFKC"]), st.booleans(), st.booleans(), st.booleans()
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("What's the man's T-shirt?", "what's the man's t-shirt ?"),
        ("’Twas “fine”", '\' twas " fine "'),
        ("dogs' bones", "dogs ' bones"),
        ("In the U.S., at 2:50 p.m.", "in the u.s. , at 2:50 p.m."),
        ("The end.Next", "the end . next"),
        ("a.b.cde", "a.b . cde"),
        ("It cost $1,000.50...", "it cost $ 1,000.50 . . ."),
        ("snake_case (x)", "snake _ case ( x )"),
        ("émigré E\u0301", "émigré é"),
        ("ﬁ ２", "fi 2"),
        ("हिन्दी में", "हिन्दी में"),
        ("a\x00b\u200bc\u2028d\u00a0e▁f", "a b c d e f"),
        ("so\u00adft \ufeffmark", "soft mark"),
        ("half \ud800", "half \ufffd"),
        (" \t\r\n ", ""),
    ],
)
def test_text_is_normalised(text, normal):
    assert Normalizer()(text) == normal


def test_each_option_can_be_switched_off():
    text = "The ﬁsh, eh?"
    assert Normalizer(form="NFC")(text) == "the ﬁsh , eh ?"
    assert Normalizer(lowercase=False)(text) == "The fish , eh ?"
    assert Normalizer(split_punctuation=False)(text) == "the fish, eh?"


def test_tags_are_dropped_where_asked():
    drop = Normalizer(split_punctuation=False, drop_tags=True)
    assert drop("Good.<br /><br/>Really <b>good</b> <3 if a < b") == "good. really good <3 if a < b"
    assert Normalizer()("<br />") == "< br / >"


marks = st.text(st.sampled_from("aB1.,:'-_ ’ﬁ\u0301\u00ad\u200bßİ<>/"), max_size=8)


@given(normalizers, st.text() | marks)
def test_normalised_text_is_unchanged(normalizer, text):
    once = normalizer(text)
    assert normalizer(once) == once
    assert once == " ".join(once.split())


@given(st.text())
def test_splitting_adds_nothing_but_spaces(text):
    whole = Normalizer(split_punctuation=False)(text)
    assert Normalizer()(text).replace(" ", "") == whole.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("A dog, running.", "a dog ~, running ~."),
        ("a dog , running .", "a dog , running ."),
        ("«Oui», dit-elle (ici).", "«~ oui ~» ~, dit-elle (~ ici ~) ~."),
        ("It's $5.00/day!!", "it's $~ 5.00 ~/~ day ~! ~!"),
        ("the U.S.?", "the u.s. ~?"),
        ("a\u2060. \u2060b", "a ~. b"),  # a joiner of the text's own shows nothing: it is dropped
    ],
)
def test_joins_are_marked(text, marked):
    assert Normalizer(mark_joins=True)(text).replace(JOIN, "~") == marked


@given(st.text() | marks, st.sampled_from(["NFC", "NFKC"]), st.booleans(), st.booleans())
def test_joining_reverses_splitting(text, form, lowercase, drop_tags):
    whole = Normalizer(form, lowercase, False, drop_tags)
    marked = Normalizer(form, lowercase, True, drop_tags, mark_joins=True)
    assert marked.join(marked(text)) == whole(text)
    apart = marked(text).replace(JOIN, "").split()
    assert apart == Normalizer(form, lowercase, True, drop_tags)(text).split()


def test_it_can_be_pickled_for_workers():
    normalizer = Normalizer(lowercase=False)
    assert pickle.loads(pickle.dumps(normalizer)) == normalizer
