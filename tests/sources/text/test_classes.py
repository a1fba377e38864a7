"""Label by file, label by folder and TREC."""

import gzip
from collections import Counter

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.label_files import LabelFiles
from rnnpipe.sources.text.label_folders import LabelFolders
from rnnpipe.sources.text.trec import Trec
from tests.sources.reading import ignore_progress, read_all


def ignore(done: int, total: int) -> None: ...


def rows(raw):
    return [(r.key, r.split, r.fields["label"], r.fields["text"]) for r in raw]


def test_a_file_for_each_label(tmp_path):
    (tmp_path / "rt.neg").write_text("dull .\nweak .\n")
    (tmp_path / "rt.pos").write_text("fine .\n")
    for name in ("README.md", "README.1.0", "readme.de", "rt.txt", "rt.md.gz", "rt.neg~"):
        (tmp_path / name).write_text("no data")
    source = LabelFiles(path=tmp_path)
    assert rows(read_all(source)) == [
        ("rt.neg:1", "train", "neg", "dull ."),
        ("rt.neg:2", "train", "neg", "weak ."),
        ("rt.pos:1", "train", "pos", "fine ."),
    ]
    assert source.split_names == {"train"}
    assert [path.name for path in source.raw_files()] == ["rt.neg", "rt.pos"]


def test_named_label_files_are_read(tmp_path):
    (tmp_path / "a.txt").write_text("dull .\n")
    (tmp_path / "b.txt").write_text("fine .\n\n")
    read = read_all(LabelFiles(path=tmp_path, files={"good": "b.txt", "bad": "a.txt"}))
    assert rows(read[:2]) == [
        ("a.txt:1", "train", "bad", "dull ."),
        ("b.txt:1", "train", "good", "fine ."),
    ]
    assert read[2] == DeadLetter("b.txt:2", "b.txt", "read text", "the text is empty")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["rt.neg"], "files <name>.<label> of two labels or more, and of one name, got none"),
        (["a.x", "a.y", "b.x", "b.y"], "got a, b; name the file of each label"),
        (
            ["a.txt", "a.md"],
            "files <name>.<label> of two labels or more, and of one name, got none",
        ),
        (
            ["a.x", "a.x.gz", "a.y"],
            "expected one file of the label x, got a.x and a.x.gz; move one of them away, or name",
        ),
    ],
)
def test_ambiguous_label_files_are_refused(tmp_path, names, message):
    for name in names:
        (tmp_path / name).write_text("text\n")
    with pytest.raises(UserError) as fault:
        LabelFiles(path=tmp_path).prepare(ignore_progress)
    assert message in str(fault.value)


def write_folders(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"text of {name}\nand more")


def test_a_folder_for_each_label(tmp_path):
    names = ["train/neg/0_3.txt", "train/pos/0_9.txt", "test/neg/0_1.txt", "train/unsup/0_0.txt"]
    write_folders(tmp_path, [*names, "train/neg/urls.html"])
    (tmp_path / "train/pos/1_8.txt").write_bytes(b"\xff")
    read = read_all(LabelFolders(path=tmp_path))
    letters = [raw for raw in read if isinstance(raw, DeadLetter)]
    assert [(letter.key, letter.step) for letter in letters] == [
        ("train/pos/1_8.txt", "decode text")
    ]
    assert sorted(rows(raw for raw in read if isinstance(raw, Reference))) == [
        ("test/neg/0_1.txt", "test", "neg", "text of test/neg/0_1.txt\nand more"),
        ("train/neg/0_3.txt", "train", "neg", "text of train/neg/0_3.txt\nand more"),
        ("train/pos/0_9.txt", "train", "pos", "text of train/pos/0_9.txt\nand more"),
    ]


def test_label_folders_may_lack_splits_and_be_chosen(tmp_path):
    write_folders(tmp_path, ["a/1.txt", "b/1.txt", "c/1.txt"])
    assert {r.fields["label"] for r in read_all(LabelFolders(path=tmp_path))} == {"a", "b", "c"}
    chosen = LabelFolders(path=tmp_path, labels=("a", "c"))
    assert {r.fields["label"] for r in read_all(chosen)} == {"a", "c"}
    assert chosen.split_names == {"train"}
    with pytest.raises(UserError, match=r"training folder for each label, got none called x"):
        LabelFolders(path=tmp_path, labels=("a", "x")).prepare(ignore_progress)


def test_unread_files_are_reported(tmp_path):
    for name in ("rt.neg", "rt.pos", "README.md", "other.neg"):
        (tmp_path / name).write_text("x\n")
    message = "data.source: other.neg is not read; name the file of each label in data.source.files"
    assert LabelFiles(path=tmp_path).notices == [message]
    assert LabelFiles(path=tmp_path, files={"a": "rt.neg", "b": "rt.pos"}).notices == []
    for name in ("TREC.train", "TREC.test", "extra.label"):
        (tmp_path / name).write_text("NUM:date When ?\n")
    message = (
        "data.source: extra.label is not read; name one file for each split in data.source.files"
    )
    assert Trec(path=tmp_path).notices == [message]
    assert Trec(path=tmp_path, files={"train": "TREC.train"}).notices == []


def test_folders_beside_those_of_splits_are_reported(tmp_path):
    write_folders(tmp_path, ["train/neg/a.txt", "train/pos/b.txt", "more/neg/c.txt"])
    message = "data.source: more/ is not read; call it train, validation or test"
    assert LabelFolders(path=tmp_path).notices == [message]
    assert LabelFolders(path=tmp_path / "train").notices == []
    write_folders(tmp_path / "train", ["neg/urls.html", "neg/deep/d.txt", "pos/.hidden"])
    message = "2 in folders of labels, such as neg/deep, not read; names end in .txt, .txt.gz"
    assert LabelFolders(path=tmp_path / "train").notices == [f"data.source: {message}"]


def test_trec_is_read(tmp_path):
    (tmp_path / "TREC.train").write_bytes(
        b"NUM:date When was Caf\xe9 born ?\nno class here\nENTY:animal  What: a bird ?\n"
    )
    (tmp_path / "TREC.test").write_bytes(b"NUM:dist How far ?\n")
    read = read_all(Trec(path=tmp_path))
    assert rows(raw for raw in read if isinstance(raw, Reference)) == [
        ("TREC.test:1", "test", "NUM", "How far ?"),
        ("TREC.train:1", "train", "NUM", "When was Café born ?"),
        ("TREC.train:3", "train", "ENTY", "What: a bird ?"),
    ]
    assert [(raw.key, raw.step) for raw in read if isinstance(raw, DeadLetter)] == [
        ("TREC.train:2", "read label")
    ]
    fine = read_all(Trec(path=tmp_path, labels="fine"))
    assert fine[0].fields["label"] == "NUM:dist"


def test_trec_by_its_official_names(tmp_path):
    for name in ("train_5500.label", "TREC_10.label", "train_1000.label"):
        (tmp_path / name).write_text("NUM:date When ?\n")
    source = Trec(path=tmp_path)
    assert {partition.split: partition.path.name for partition in source.partitions()} == {
        "train": "train_5500.label",
        "test": "TREC_10.label",
    }


@pytest.mark.parametrize("gz", [False, True])
def test_the_files_of_trec_may_be_gzipped_and_called_in_capitals(tmp_path, gz):
    raw = b"NUM:date When ?\n"
    for names in (("train_5500.label", "TREC_10.label"), ("trec.TRAIN", "trec.TEST")):
        folder = tmp_path / names[0]
        folder.mkdir()
        for name in names:
            path = folder / (f"{name}.gz" if gz else name)
            path.write_bytes(gzip.compress(raw) if gz else raw)
        assert {(r.split, r.fields["text"]) for r in read_all(Trec(path=folder))} == {
            ("train", "When ?"),
            ("test", "When ?"),
        }


def test_a_duplicate_file_of_trec_is_reported(tmp_path):
    for name in ("train_5500.label", "TREC_10.label", "TREC_10.label.gz"):
        (tmp_path / name).write_text("NUM:date When ?\n")
    with pytest.raises(UserError, match=r"got TREC_10.label and TREC_10.label.gz; move one"):
        Trec(path=tmp_path).prepare(ignore_progress)


def test_the_texts_in_folders_may_be_gzipped(tmp_path):
    write_folders(tmp_path, ["neg/1.txt", "pos/1.txt"])
    for name in ("neg/2.TXT.gz", "pos/1.txt.gz"):
        (tmp_path / name).write_bytes(gzip.compress(b"packed"))
    (tmp_path / "pos/3.txt.gz").write_bytes(gzip.compress(b"damaged")[:-9])
    raw = read_all(LabelFolders(path=tmp_path))
    assert [r.fields["text"] for r in raw if isinstance(r, Reference)] == [
        "text of neg/1.txt\nand more",
        "packed",
        "text of pos/1.txt\nand more",
    ]
    letters = {r.key: r.reason for r in raw if isinstance(r, DeadLetter)}
    assert letters.keys() == {"pos/1.txt.gz", "pos/3.txt.gz"}
    assert letters["pos/1.txt.gz"] == "the same file is there without gzip"
    assert "damaged gzip file" in letters["pos/3.txt.gz"]


def test_the_real_data_is_read(shared_data):
    polarity = read_all(LabelFiles(path=shared_data / "rt_polarity"))
    assert Counter(r.fields["label"] for r in polarity) == {"neg": 5331, "pos": 5331}
    reviews = read_all(LabelFolders(path=shared_data / "imdb_mini"))
    assert Counter((r.split, r.fields["label"]) for r in reviews) == {
        ("train", "neg"): 1500,
        ("train", "pos"): 1500,
        ("test", "neg"): 500,
        ("test", "pos"): 500,
    }
    questions = read_all(Trec(path=shared_data / "trec_questions"))
    assert Counter(r.split for r in questions) == {"train": 5452, "test": 500}
    assert len({r.fields["label"] for r in questions}) == 6
    fine = read_all(Trec(path=shared_data / "trec_questions", labels="fine"))
    assert len({r.fields["label"] for r in fine}) == 50
