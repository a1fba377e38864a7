import gzip
import json

import pytest

from rnnpipe.errors import UserError
from rnnpipe.inputs.streams import read_documents
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.runs.console import make_console
from rnnpipe.runs.inspect import inspect_records
from rnnpipe.sources.streams import spans
from rnnpipe.sources.streams.texts import TextStreams
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokenizer import train_tokenizer
from rnnpipe.text.tokens import END
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.text_stream import StreamRecipe


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("".join(f"line {number} of the book\n" for number in range(200)))
    return path


def build(path, folder, **options) -> RecordsDirectory:
    source = TextStreams(path=path).hold_out({"validation": 0.1, "test": 0.1})
    source.prepare(lambda done, total: None)
    recipe = StreamRecipe(**options or {"vocabulary": 64})
    return Build(source, recipe, shares={}, records_per_shard=3).run(folder)


def test_the_records_of_a_split_are_its_text_in_order(book, tmp_path, monkeypatch):
    monkeypatch.setattr(spans, "SPAN_BYTES", 100)
    records = build(book, tmp_path / "records")
    symbols = Symbols.load(records.path)
    parts = {split: list(records.read(split)) for split in ("train", "validation", "test")}
    assert "".join(r["text"] for rows in parts.values() for r in rows) == book.read_text()
    for rows in parts.values():
        assert [row["number"] for row in rows] == list(range(len(rows)))
        assert "".join(symbols.decode(row["tokens"]) for row in rows) == "".join(
            row["text"] for row in rows
        )
    assert records.stats["distinct_symbols"] == len(set(book.read_text()))
    histogram = records.stats["splits"]["train"]["histograms"]["characters"]
    assert sum(int(v) * n for v, n in histogram.items()) == sum(
        len(row["text"]) for row in parts["train"]
    )


def test_only_the_vocabulary_of_the_training_split_is_known(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("a b\n" * 200 + "a z\n" * 25)
    records = build(path, tmp_path / "records", symbols="word")
    assert set(Symbols.load(records.path).symbols) == {"a", "b", "\n"}
    assert records.stats["splits"]["test"]["rates"]["tokens_unknown"] == pytest.approx(1 / 3)


def test_undecodable_spans_are_dead_letters(tmp_path, monkeypatch):
    monkeypatch.setattr(spans, "SPAN_BYTES", 20)
    path = tmp_path / "book.txt"
    path.write_bytes(b"line\n" * 100 + b"caf\xe9\n" + b"line\n" * 100)
    records = build(path, tmp_path / "records")
    (letter,) = records.dead_letters()
    assert letter["step"] == "decode text"
    numbers = [row["number"] for row in records.read("train")]
    assert len(numbers) == numbers[-1]  # one is missing
    assert json.loads((records.path / "stats.json").read_text())["dead_letters"] == {
        "decode text": 1
    }


def test_records_can_be_inspected(book, tmp_path, capsys):
    inspect_records(build(book, tmp_path / "records").path, 1, make_console())
    assert "A span of a long text." in capsys.readouterr().out


def test_text_of_another_encoding_is_an_error_that_names_the_byte(tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes("Un café.\n".encode("latin-1") * 20)
    with pytest.raises(UserError, match=r"data\.source: .* byte 0xe9 at 6 is no text in utf-8; "):
        build(path, tmp_path / "records")
    assert not (tmp_path / "records").exists()


def test_records_of_a_gzipped_text_are_those_of_the_text(book, tmp_path, monkeypatch):
    monkeypatch.setattr(spans, "SPAN_BYTES", 100)
    plain = build(book, tmp_path / "plain")
    zipped = tmp_path / "zipped/book.txt"
    zipped.parent.mkdir()
    zipped.write_bytes(gzip.compress(book.read_bytes()))
    records = build(zipped, tmp_path / "records")
    for split in plain.splits:
        assert list(records.read(split)) == list(plain.read(split))


def test_the_tokens_are_those_of_another_run(book, tmp_path, monkeypatch):
    monkeypatch.setattr(spans, "SPAN_BYTES", 100)
    tokenizer = train_tokenizer({"line": 3, "book": 2, "123": 1}, kind="char", vocabulary=20)
    (tmp_path / "run" / "vocabulary").mkdir(parents=True)
    tokenizer.save(tmp_path / "run" / "vocabulary")
    records = build(book, tmp_path / "records", tokenizer=tmp_path / "run")
    assert Symbols.load(records.path).pieces == tokenizer.pieces
    texts = list(read_documents(records, "train"))
    for text, line in zip(texts, book.read_text().splitlines(), strict=False):
        assert text.tolist() == [*tokenizer.encode(line), END]
    assert records.stats["splits"]["train"]["rates"]["tokens_unknown"] > 0

    # It counts by its content, wherever it is.
    settings = [StreamRecipe(tokenizer=tmp_path / place).settings for place in ("run", "records")]
    assert settings[0] == settings[1] != StreamRecipe().settings


def test_wrong_tokenizers_are_refused(book, tmp_path):
    with pytest.raises(UserError, match=r"data\.tokenizer .*none: .* got no such folder; name"):
        build(book, tmp_path / "records", tokenizer=tmp_path / "none")
    with pytest.raises(UserError, match=r"data\.tokenizer .*: .* got a folder without one; name"):
        build(book, tmp_path / "records", tokenizer=tmp_path)
    with pytest.raises(UserError, match="vocabulary: expected 256 with a tokenizer, where it has"):
        StreamRecipe(tokenizer=tmp_path, vocabulary=64)
