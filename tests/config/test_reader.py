"""What the reader of YAML refuses before any schema is asked."""

import os
from pathlib import Path

import pytest

from rnnpipe.config.nodes import MAX_FAULTS, FaultList
from rnnpipe.config.reader import read_text, read_tree
from rnnpipe.errors import UserError


def faults_of(text):
    faults = FaultList()
    try:
        read_tree(text, "f", faults)
    except UserError as fault:
        return [str(fault)]
    return [str(fault) for fault in faults.in_order()]


NO_MARKS = "write the value itself, with no anchor, alias or tag (quotes make text)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x 1", f"f:1: a: expected a plain value, got the anchor &x; {NO_MARKS}"),
        ("a: *x", f"f:1: a: expected a plain value, got the alias *x; {NO_MARKS}"),
        ("a: !!python/name:os.system", "f:1: a: expected a plain value, got the tag tag:yaml.org,"),
        ("a: ! 1", "f:1: a: expected a plain value, got the tag !;"),
        ("<<: {a: 1}", "f:1: expected a key, got the merge key <<; write out every key"),
        ("b:\n  ? [1]\n  : 2", "f:2: b: expected a key, got a list or mapping in its place;"),
        ("? \n: 1", "f:1: expected a key, got no key before the colon;"),
        ("&x a: 1", "f:1: expected a key, got the anchor &x;"),
        ('"\\ud800": 1', "f:1: expected a key, got half of a surrogate pair;"),
        ('a: "\\ud800"', "f:1: a: expected text, got \\ud800; write the character itself"),
        ("a: 1\nb:\n- c: 2\n  c: 3", "f:4: b.0.c: expected each key once, got it again (first on"),
        ("a:\n\tb: 1", "f:2:1: expected well-formed YAML, got found character '\\t' that cannot"),
        ("a: b: c", "f:1:5: expected well-formed YAML, got mapping values are not allowed here;"),
        ("a: [1", "f:1:6: expected well-formed YAML, got expected ',' or ']', but got"),
        ('a: "x', "f:1:6: expected well-formed YAML, got found unexpected end of stream"),
        ("a: 1\n---\nb: 2", "f:2:1: expected well-formed YAML, got but found another document"),
        ("a: `x`", "f:1:4: expected well-formed YAML, got found character '`' that cannot start"),
        ("a: 1\nb: \x07", "f:2: expected printable text, got the character U+0007; remove"),
        ('a: "\\UFFFFFFFF"', "f: expected well-formed YAML, got "),
        ("[" * 5000, "f: expected a few levels of nesting, got hundreds; flatten it"),
        ("[" * 50 + "]" * 50, "f:1: 0.0.0.0: expected at most 40 levels, got more; flatten it"),
    ],
)
def test_ambiguous_or_unsupported_yaml_is_refused(text, message):
    (line,) = faults_of(text)
    assert line.startswith(message)


def test_anchors_do_not_hide_other_errors():
    assert len(faults_of("a: &x {b: 010, b: 2}\nc: *x\nd: *y\ne: &x 3")) == 6


def test_the_tree_keeps_values_and_their_lines():
    tree = read_tree("# c\na:\n  b: [1, 'no',\n      no]\n", "f", FaultList())
    assert tree.plain() == {"a": {"b": [1, "no", "no"]}}
    items = tree.child("a").child("b").value
    assert [item.place.source for item in items] == ["f:3", "f:3", "f:4"]
    assert [item.quoted for item in items] == [False, True, False]
    assert tree.child("a").place.source == "f:2"


def test_quoted_text_and_blocks_are_strings():
    tree = read_tree("a: '010'\nb: |\n  1\nc: \"true\"\n'<<': 1", "f", FaultList())
    assert tree.plain() == {"a": "010", "b": "1\n", "c": "true", "<<": 1}


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("#" * 262_144)
    assert len(read_text(path)) == 262_144
    path.write_text("#" * 262_145)
    with pytest.raises(
        UserError, match=f"{path}: expected at most 262,144 bytes of YAML, got more"
    ):
        read_text(path)


def test_a_pipe_or_a_device_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "config.yaml")
    for path in (tmp_path / "config.yaml", "/dev/zero"):
        with pytest.raises(
            UserError, match=f"{path}: expected a YAML file, got a pipe or a device"
        ):
            read_text(Path(path))


def test_the_first_of_many_faults_are_named():
    lines = [f"k{number}: 010" for number in range(1000)]
    *named, last = faults_of("\n".join(lines))
    assert [line.partition(" ")[0] for line in named] == [
        f"f:{n}:" for n in range(1, MAX_FAULTS + 1)
    ]
    assert last == f"and {1000 - MAX_FAULTS} more"
