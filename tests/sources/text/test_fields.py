import pytest

from rnnpipe.errors import BadRecord
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.fields import group_of, refer_pair, refer_text


def test_references_have_the_documented_fields():
    assert refer_text("a:1", "test", text=" Good. ", label=" pos ") == Reference(
        "a:1", group_of("good."), "test", {"text": " Good. ", "label": "pos"}
    )
    assert refer_pair("a:1", "train", source="Ja", target="Yes") == Reference(
        "a:1", group_of("ja"), "train", {"source": "Ja", "target": "Yes"}
    )


def test_texts_that_differ_in_case_and_space_alone_form_a_group():
    assert group_of("A  Man\n") == group_of("a man")
    assert group_of("Caf\u00c9") == group_of("cafe\u0301")
    assert group_of("a man") != group_of("aman")


@pytest.mark.parametrize(
    ("label", "name"), [(3, "3"), (0, "0"), (-1, "-1"), ("x y", "x y"), ("\ufeffpos", "pos")]
)
def test_labels_become_names(label, name):
    assert refer_text("k", "train", text="t", label=label).fields["label"] == name


@pytest.mark.parametrize(
    ("text", "label", "reason"),
    [
        ("", "pos", "the text is empty"),
        (" \u2003\n", "pos", "the text is empty"),
        (None, "pos", "the text is not text: None"),
        (["a"], "pos", "the text is not text"),
        ("half \ud800", "pos", "the text is not Unicode text"),
        ("good", None, "not the name of a class: None"),
        ("good", " ", "not the name of a class"),
        ("good", 1.5, "not the name of a class: 1.5"),
        ("good", True, "not the name of a class: True"),
        ("good", ["pos"], "not the name of a class"),
        ("good", "half \ud800", "the name is not Unicode text"),
    ],
)
def test_bad_values_are_refused(text, label, reason):
    with pytest.raises(BadRecord, match=reason):
        refer_text("k", "train", text=text, label=label)


def test_a_pair_needs_both_sides():
    with pytest.raises(BadRecord, match="the target text is empty"):
        refer_pair("k", "train", source="ja", target=" ")
    with pytest.raises(BadRecord, match="the source text is not text"):
        refer_pair("k", "train", source=None, target="yes")
