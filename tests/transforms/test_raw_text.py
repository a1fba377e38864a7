"""Builds of texts that are odd in every way: what becomes of each raw record is accounted for."""

import gzip
import json
import os
import shutil
from pathlib import Path
from typing import Literal

import pytest

from rnnpipe.errors import UserError
from rnnpipe.settings import setting
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.label_folders import LabelFolders
from rnnpipe.sources.text.source import TextClassSource
from rnnpipe.sources.text.table import ClassTable
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.text_classes import ClassTextOptions, TextClassRecipe

APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + b"\xff" * 40


def build(source, folder, *, tokenizer="word", max_bad_fraction=0.9):
    source.prepare(lambda done, total: None)
    recipe = TextClassRecipe(text=ClassTextOptions(tokenizer=tokenizer))
    make = Build(source, recipe, {}, max_bad_fraction=max_bad_fraction)
    records = make.run(folder)
    stats = records.stats
    dead = list(records.dead_letters())
    assert stats["read"] == stats["written"] + len(dead) == sum(records.splits.values()) + len(dead)
    rows = [
        (record["text"], records.labels[record["label"]])
        for split in records.splits
        for record in records.read(split)
    ]
    return sorted(rows), dead, stats["notices"]


def write_folders(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"the text {name}")


def test_system_files_are_no_text(tmp_path):
    raw = tmp_path / "raw"
    write_folders(raw, "train/pos/1.txt", "train/neg/1.txt")
    write_folders(raw, "train/.ipynb_checkpoints/1-checkpoint.txt", "__MACOSX/train/pos/1.txt")
    for label in ("pos", "neg"):
        (raw / f"train/{label}/._1.txt").write_bytes(APPLE_DOUBLE)
        (raw / f"train/{label}/~$1.txt").write_bytes(b"\xff")
    rows, dead, notices = build(LabelFolders(path=raw), tmp_path / "records", max_bad_fraction=0.0)
    assert [label for _, label in rows] == ["neg", "pos"]
    assert dead == []
    assert sum("hidden and system files are not read: " in notice for notice in notices) == 1


def test_a_file_whose_name_cannot_be_decoded_is_a_dead_letter(tmp_path):
    raw = tmp_path / "raw"
    write_folders(raw, "pos/1.txt", "neg/1.txt")
    with open(os.fsencode(raw / "pos") + b"/caf\xe9.txt", "w") as file:
        file.write("a coffee")
    rows, dead, _ = build(LabelFolders(path=raw), tmp_path / "records")
    assert len(rows) == 2
    (letter,) = dead
    assert letter["key"] == "pos/caf\\xe9.txt"
    assert letter["step"] == "read name"


ODD = os.fsdecode(b"caf\xe9")
"""The name of a file that is not UTF-8, as Python has it."""


class Misnamed(TextClassSource):
    """Another package's source, which hands on names of files as they are."""

    kind: Literal["misnamed"] = "misnamed"
    odd: Literal["key", "group", "text", "label", "path"] = setting("key", "what is no Unicode")
    form: Literal["path", "text", "tuple", "mapping"] = setting("path", "that of partitions")

    split_names = frozenset({"train"})

    @property
    def settings(self):
        return {"odd": self.odd, "name": ODD}

    @property
    def notices(self):
        return [f"{ODD} is read"]

    def prepare(self, progress):
        progress(1, 1)

    def partitions(self):
        forms = {"path": Path(ODD), "text": ODD, "tuple": (ODD, 1), "mapping": {ODD: [ODD]}}
        return [forms[self.form]]

    def read(self, partition):
        if partition != self.partitions()[0]:
            raise ValueError(f"{partition!r} is no partition")
        for number, label in enumerate("abab"):
            fields = {"text": f"cafe {number}", "label": label, "path": "cafe"}
            reference = {"key": "cafe", "group": "cafe", **fields}
            if number < 2:
                reference[self.odd] = f"{ODD} {number}"
            key, group = reference.pop("key"), reference.pop("group")
            yield Reference(f"{key}:{number}", group, "train", reference)

    def raw_files(self):
        return [Path(ODD)]


@pytest.mark.parametrize("form", ["path", "text", "tuple", "mapping"])
def test_partitions_may_be_names_that_are_no_unicode(tmp_path, form):
    rows, dead, notices = build(Misnamed(odd="path", form=form), tmp_path / "records")
    assert rows == [(f"cafe {number}", label) for number, label in enumerate("abab")]
    assert dead == []
    assert notices[0] == "caf\\udce9 is read"


STEPS = {
    "key": "read name",
    "group": "read name",
    "text": "encode record",
    "label": "encode label",
}


@pytest.mark.parametrize("tokenizer", ["word", "bpe"])
@pytest.mark.parametrize("odd", STEPS)
def test_what_is_no_unicode_is_a_dead_letter(tmp_path, odd, tokenizer):
    rows, dead, _ = build(Misnamed(odd=odd), tmp_path / "records", tokenizer=tokenizer)
    assert rows == [("cafe 2", "a"), ("cafe 3", "b")]
    key = "caf\\udce9 {}:{}" if odd == "key" else "cafe:{1}"
    assert [letter["key"] for letter in dead] == [key.format(n, n) for n in range(2)]
    assert {letter["step"] for letter in dead} == {STEPS[odd]}


ODD_LABELS = ["true", "null", "NaN", "1.5", "[1]", '"\\ud83d"', '" "', "9" * 5000]


def test_odd_labels_of_json_are_dead_letters(tmp_path):
    labels = ["1", "0", '"\\ufeffx"', f'"{"9" * 5000}"', *ODD_LABELS]
    lines = [f'{{"text": "text {n}", "label": {label}}}' for n, label in enumerate(labels)]
    lines.append('{"text": "twice", "label": "1", "label": "0"}')
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "train.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    rows, dead, _ = build(ClassTable(path=raw), tmp_path / "records")
    assert rows == [("text 0", "1"), ("text 1", "0"), ("text 2", "x"), ("text 3", "9" * 5000)]
    assert {letter["key"] for letter in dead} == {
        f"train.jsonl.gz:{number}" for number in range(5, 5 + len(ODD_LABELS) + 1)
    }


def test_a_long_document_fills_no_extra_rows(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    document = "\n".join(f"they met again, and spoke of many, {n:05d}" for n in range(80_000))
    rows = "".join(f"word{n} thing,{'ab'[n % 2]}\n" for n in range(500))
    (raw / "train.csv").write_text(f'text,label\n{rows}"{document}",a\n{rows}\n')
    read, dead, _ = build(ClassTable(path=raw), tmp_path / "records", max_bad_fraction=0.01)
    assert (len(read), {label for _, label in read}) == (1000, {"a", "b"})
    (letter,) = dead
    assert letter["key"] == "train.csv:80501"
    assert "from line 502 on" in letter["reason"]


def test_a_split_with_a_header_alone_is_reported_as_such(tmp_path):
    (tmp_path / "train.csv").write_text("text,label\na,x\nb,y\n")
    (tmp_path / "test.csv").write_text("text,label\n")
    with pytest.raises(
        UserError, match=r"data\.source: expected at least one record for test, got"
    ):
        build(ClassTable(path=tmp_path), tmp_path / "records")


def test_of_a_class_a_record_too_few_is_left_to_train_on(tmp_path):
    (tmp_path / "train.csv").write_text("text,label\na,x\nb,y\nc,z\n")
    shares = {"validation": 0.3, "test": 0.3}
    with pytest.raises(UserError, match=r"got [xyz] alone; .* hold out less with data\.splits"):
        Build(ClassTable(path=tmp_path), TextClassRecipe(), shares).run(tmp_path / "records")


def test_records_within_their_raw_data_change_nothing(tmp_path):
    write_folders(tmp_path, "pos/1.txt", "neg/1.txt")
    source, stats = LabelFolders(path=tmp_path), []
    for _ in range(2):
        rows, dead, notices = build(source, tmp_path / "records", max_bad_fraction=0.0)
        assert ([label for _, label in rows], dead, notices) == (["neg", "pos"], [], [])
        stats.append((tmp_path / "records/stats.json").read_bytes())
        assert Build(source, TextClassRecipe(), {}).find_finished(tmp_path / "records")
        shutil.rmtree(tmp_path / "records")
    assert stats[0] == stats[1]


def test_all_text_of_another_encoding_is_an_error_that_names_the_byte(tmp_path):
    raw = "text,label\n" + "".join(f"café {n},{'ab'[n % 2]}\n" for n in range(9))
    (tmp_path / "train.csv").write_bytes(raw.encode("latin-1"))
    with pytest.raises(UserError, match="byte 0xe9 at 3 is no utf-8"):
        build(ClassTable(path=tmp_path), tmp_path / "records")
    assert not (tmp_path / "records").exists()
    rows, dead, _ = build(ClassTable(path=tmp_path, encoding="latin-1"), tmp_path / "records")
    assert (len(rows), dead) == (9, [])
    assert json.loads((tmp_path / "records/labels.json").read_text()) == ["a", "b"]
