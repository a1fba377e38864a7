import gzip

import pytest

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text import lines as lines_module
from rnnpipe.sources.text.fields import group_of
from rnnpipe.sources.text.parallel import Parallel
from tests.sources.reading import ignore_progress, send_to_worker


def ignore(done: int, total: int) -> None: ...


@pytest.fixture
def write(tmp_path):
    def write_files(**files: str) -> None:
        for name, content in files.items():
            (tmp_path / name.replace("_dot_", ".")).write_text(content, encoding="utf-8")

    return write_files


def read_all(source):
    source, partitions = send_to_worker(source)
    read: dict[str, list] = {}
    for partition in partitions:
        read.setdefault(partition.files.split, []).extend(source.read(partition))
    return read


def test_lines_belong_together_by_their_number(tmp_path, write):
    write(train_dot_de="Ja.\nNein.\r\n", train_dot_en="Yes.\nNo.", test_dot_de="Tag\n")
    (tmp_path / "test.en.gz").write_bytes(gzip.compress(b"Day\n"))
    write(train_dot_fr="Oui.\n")  # a third language may be there
    source = Parallel(path=tmp_path, source="de", target="en")
    assert source.split_names == {"train", "test"}
    assert read_all(source) == {
        "train": [
            Reference("train:1", group_of("ja."), "train", {"source": "Ja.", "target": "Yes."}),
            Reference("train:2", group_of("nein."), "train", {"source": "Nein.", "target": "No."}),
        ],
        "test": [Reference("test:1", group_of("tag"), "test", {"source": "Tag", "target": "Day"})],
    }
    names = [path.name for path in source.raw_files()]
    assert sorted(names) == ["test.de", "test.en.gz", "train.de", "train.en"]


def test_unread_files_are_reported(tmp_path, write):
    write(train_dot_de="Ja\n", train_dot_en="Yes\n", dev_dot_de="Tag\n", train_dot_fr="Oui\n")
    write(news_dot_de="Neu\n", news_dot_en="New\n")
    source = Parallel(path=tmp_path, source="de", target="en")
    assert source.notices == [
        "data.source: dev.de, news.de, news.en are not read; each needs a file of the other "
        "language, and a name of a split, or name one file for each split in data.source.files"
    ]
    assert Parallel(path=tmp_path, source="de", target="en", files={"train": "news"}).notices == []


def test_a_duplicate_file_is_reported(tmp_path, write):
    write(train_dot_de="Ja\n", train_dot_en="Yes\n")
    (tmp_path / "train.de.gz").write_bytes(gzip.compress(b"Nein\n"))
    message = r"expected a file train\.de or train\.de\.gz, got both; move one of them away"
    with pytest.raises(UserError, match=message):
        Parallel(path=tmp_path, source="de", target="en").prepare(ignore_progress)


def test_the_other_direction_is_translated(tmp_path, write):
    write(a_dot_de="Ja\n", a_dot_en="Yes\n")
    [[pair]] = read_all(Parallel(path=tmp_path, source="en", target="de")).values()
    assert pair.fields == {"source": "Yes", "target": "Ja"}


def test_a_bad_side_rejects_its_pair_alone(tmp_path):
    (tmp_path / "a.de").write_bytes(b"eins\n\nd\xffei\nvier\nf\xc3\xbcnf\n")
    (tmp_path / "a.en").write_bytes(b"one\ntwo\nthree\n \nfive\n")
    [read] = read_all(Parallel(path=tmp_path, source="de", target="en")).values()
    assert [r.key if isinstance(r, Reference) else r for r in read] == [
        "a:1",
        DeadLetter("a:2", "a.de", "read text", "the source text is empty"),
        DeadLetter("a:3", "a.de", "decode text", "byte 0xff at 1 is no utf-8"),
        DeadLetter("a:4", "a.de", "read text", "the target text is empty"),
        "a:5",
    ]
    assert read[-1].fields == {"source": "fünf", "target": "five"}


def test_different_numbers_of_lines_are_one_error(tmp_path, write):
    write(train_dot_de="a\nb\nc\n", train_dot_en="a\nb\n")
    with pytest.raises(UserError) as fault:
        Parallel(path=tmp_path, source="de", target="en").prepare(ignore_progress)
    assert str(fault.value) == (
        f"{tmp_path / 'train'}: expected the same number of lines in both languages, "
        "got 3 in train.de and 2 in train.en; get both files again, or correct them: "
        "line by line they must be translations"
    )


@pytest.mark.parametrize("grown", ["train.de", "train.en"])
def test_a_file_that_grows_while_it_is_read_is_the_same_error(tmp_path, write, grown):
    write(train_dot_de="a\n", train_dot_en="b\n")
    source = Parallel(path=tmp_path, source="de", target="en")
    source.prepare(ignore_progress)
    (partition,) = source.partitions()
    (tmp_path / grown).write_text("a\nb\n")
    with pytest.raises(UserError, match="the same number of lines in both languages, got one that"):
        list(source.read(partition))


def test_named_files_are_read(tmp_path, write):
    write(a_dot_de="a\n", a_dot_en="a\n", b_dot_de="b\n", b_dot_en="b\n")
    source = Parallel(
        path=tmp_path, source="de", target="en", files={"train": "b", "validation": "a"}
    )
    read = read_all(source)
    assert read["train"][0].key == "b:1"
    assert read["validation"][0].split == "validation"
    missing = Parallel(path=tmp_path, source="de", target="en", files={"train": "c"})
    with pytest.raises(UserError, match=r"expected a file c\.de or c\.de\.gz, got none"):
        missing.prepare(ignore_progress)


@pytest.mark.parametrize(
    ("path", "languages", "message"),
    [
        ("missing", ("de", "en"), "expected a folder with parallel text files, got nothing there"),
        (".", ("de", "xx"), r"expected files called <name>\.de and <name>\.xx.* got none"),
        (".", ("de", "de"), r"^target: expected another language than source"),
    ],
)
def test_mistakes_are_reported(tmp_path, write, path, languages, message):
    write(train_dot_de="a\n", train_dot_en="a\n")
    with pytest.raises(UserError, match=message):
        Parallel(path=tmp_path / path, source=languages[0], target=languages[1]).prepare(
            ignore_progress
        )


def test_the_real_data_is_read(shared_data):
    read = read_all(Parallel(path=shared_data / "multi30k", source="de", target="en"))
    assert {split: len(pairs) for split, pairs in read.items()} == {
        "train": 29_000,
        "validation": 1_014,
        "test": 1_000,
    }
    assert all(isinstance(pair, Reference) for pairs in read.values() for pair in pairs)


@pytest.mark.parametrize("lines", [19, 20, 21])
def test_long_files_are_read_in_pieces_that_have_the_same_lines(tmp_path, monkeypatch, lines):
    for language, mark in (("de", "a"), ("en", "bb")):
        text = "".join(f"{mark * number}.\n" for number in range(1, lines + 1))
        (tmp_path / f"a.{language}").write_text(text)
        (tmp_path / f"z.{language}").write_bytes(gzip.compress(text.encode()))
    files = {"train": "a"}
    whole = read_all(Parallel(path=tmp_path, source="de", target="en", files=files))
    monkeypatch.setattr(lines_module, "LINES", 5)
    source = Parallel(path=tmp_path, source="de", target="en", files=files)
    assert len(source.partitions()) == lines // 5 + 1
    assert read_all(source) == whole
    monkeypatch.setattr(lines_module, "MOST_SPANS", 2)
    assert len(source.partitions()) == 2
    assert read_all(source) == whole
    (tmp_path / "a.de").unlink()
    (tmp_path / "z.de").rename(tmp_path / "a.de.gz")
    source = Parallel(path=tmp_path, source="de", target="en", files=files)
    assert len(source.partitions()) == 1
    assert read_all(source) == whole
