"""Files that are not what they seem, whatever source reads them: an error, and never other data."""

import bz2
import gzip
import json
import lzma
import os
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from rnnpipe.errors import BadRecord, DeadLetter, UserError
from rnnpipe.sources.audio.librispeech import LibriSpeech
from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.captions.coco import CocoCaptions
from rnnpipe.sources.captions.flickr8k import Flickr8k
from rnnpipe.sources.captions.karpathy import read_karpathy
from rnnpipe.sources.folder import read_json
from rnnpipe.sources.images.decoding import read_bytes
from rnnpipe.sources.streams.texts import TextStreams
from rnnpipe.sources.text.label_files import LabelFiles
from rnnpipe.sources.text.label_folders import LabelFolders
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.sources.text.table import ClassTable
from rnnpipe.sources.text.trec import Trec
from rnnpipe.sources.videos.decoding import find_duration, read_video
from rnnpipe.sources.videos.table import ClipTable
from tests.sources.reading import ignore_progress, read_all

ROWS = [("a dog", "x"), ("a cat", "y"), ("an owl", "x")]


def _lines(form: str, rows=ROWS) -> str:
    return "".join(form.format(text=text, label=label) for text, label in rows)


def _table(name: str, header: str, form: str):
    def write(folder: Path, convert):
        (folder / name).write_bytes(convert(header + _lines(form)))
        return ClassTable(path=folder, files={"train": name})

    return write


def _label_files(folder: Path, convert):
    for label in "xy":
        (folder / f"rt.{label}").write_bytes(convert(_lines("{text} {label}\n")))
    return LabelFiles(path=folder)


def _trec(folder: Path, convert):
    (folder / "train.label").write_bytes(convert(_lines("{label}:z {text}\n")))
    return Trec(path=folder, files={"train": "train.label"})


def _parallel(folder: Path, convert):
    for language in ("de", "en"):
        (folder / f"train.{language}").write_bytes(convert(_lines("{text}\n")))
    return Parallel(path=folder, source="de", target="en")


def _stream(folder: Path, convert):
    (folder / "train.txt").write_bytes(convert(_lines("{text}\n")))
    return TextStreams(path=folder / "train.txt")


def _clips(folder: Path, convert):
    (folder / "clips.csv").write_bytes(convert("clip,label\n" + _lines("{text}.mp4,{label}\n")))
    return ClipTable(path=folder)


def _utterances(folder: Path, convert):
    rows = "file,text\n" + _lines("{label}.wav,{text}\n")
    (folder / "utterances.csv").write_bytes(convert(rows))
    return UtteranceTable(path=folder)


def _librispeech(folder: Path, convert):
    (folder / "train").mkdir()
    (folder / "train" / "1-2.trans.txt").write_bytes(convert(_lines("{label} {text}\n")))
    return LibriSpeech(path=folder)


def _flickr(folder: Path, convert):
    (folder / "x.token.txt").write_bytes(convert(_lines("1.jpg#0\t{text}\n")))
    (folder / "1.jpg").touch()
    return Flickr8k(path=folder)


LINES = {
    "csv": _table("train.csv", "text,label\n", "{text},{label}\n"),
    "tsv": _table("train.tsv", "text\tlabel\n", "{text}\t{label}\n"),
    "jsonl": _table("train.jsonl", "", '{{"text": "{text}", "label": "{label}"}}\n'),
    "label_files": _label_files,
    "trec": _trec,
    "parallel": _parallel,
    "stream": _stream,
    "clips": _clips,
    "utterances": _utterances,
    "librispeech": _librispeech,
    "flickr8k": _flickr,
}
"""Sources whose files have lines: from a folder and what the text becomes, to the source."""

NO_TEXT = {
    "UTF-16": ("a text file, got UTF-16", lambda text: text.encode("utf-16")),
    "UTF-16 without a mark": ("a text file, got UTF-16", lambda text: text.encode("utf-16-le")),
    "UTF-16, zipped": ("got UTF-16", lambda text: gzip.compress(text.encode("utf-16-be"))),
    "Macintosh": ("carriage returns in it", lambda text: text.replace("\n", "\r").encode()),
    "bzip2": ("a bzip2 file; unpack it", lambda text: bz2.compress(text.encode())),
    "xz": ("an xz file; unpack it", lambda text: lzma.compress(text.encode())),
    "gzip twice": ("gzip in gzip", lambda text: gzip.compress(gzip.compress(text.encode()))),
    "zip": ("a zip archive; unpack it", lambda text: b"PK\x03\x04" + text.encode()),
    "cut off": ("a damaged gzip file", lambda text: gzip.compress(text.encode())[:-9]),
    "empty": ("an empty file", lambda text: b""),
}


def prepare(source) -> None:
    source.prepare(ignore_progress)


@pytest.mark.parametrize("write", LINES.values(), ids=LINES)
@pytest.mark.parametrize(("expected", "convert"), NO_TEXT.values(), ids=NO_TEXT)
def test_what_is_no_text_is_told_by_every_source_of_lines(tmp_path, write, expected, convert):
    with pytest.raises(UserError) as fault:
        prepare(write(tmp_path, convert))
    assert expected in str(fault.value)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("write", LINES.values(), ids=LINES)
@pytest.mark.parametrize("make", [_pipe, _loop])
def test_a_pipe_or_a_link_to_itself_is_an_error_and_never_waited_for(tmp_path, write, make):
    source = write(tmp_path, str.encode)
    if isinstance(source, Flickr8k):
        source = replace(source, captions=Path("x.token.txt"))
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        if path.suffix != ".jpg":
            path.unlink()
            make(path)
    with pytest.raises(UserError) as fault:
        prepare(source)
    # Where files are found by their names, what is none is not among them.
    reason = "a pipe or a device" if make is _pipe else "Too many levels of symbolic links"
    assert any(told in str(fault.value) for told in (reason, "got none", "got nothing there"))


@pytest.mark.parametrize(
    "read",
    [read_json, read_karpathy, read_bytes, find_duration, lambda path: list(read_video(path))],
    ids=["json", "karpathy", "image", "duration", "video"],
)
@pytest.mark.parametrize("kind", ["pipe", "device", "loop"])
def test_whatever_is_read_as_a_whole_is_a_file(tmp_path, read, kind):
    path = tmp_path / "file"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else path)
    expected = "Too many levels of symbolic links" if kind == "loop" else "a pipe or a device"
    with pytest.raises((UserError, BadRecord), match=expected):
        read(path)


@pytest.mark.parametrize("read", [read_json, read_bytes], ids=["json", "image"])
def test_what_no_memory_holds_is_not_read(tmp_path, read):
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(60 << 30)
    with pytest.raises((UserError, BadRecord), match=r"larger than 2,147,483,648 bytes"):
        read(path)


def test_json_that_fills_the_memory_when_it_is_unpacked_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnpipe.sources.folder.MAX_WHOLE", 1 << 20)
    path = tmp_path / "captions_train.json.gz"
    path.write_bytes(gzip.compress(b" " * (1 << 20)) * 4 + gzip.compress(b"{}"))
    with pytest.raises(UserError, match="bytes when unpacked"):
        read_json(path)
    path.write_bytes(gzip.compress(b"[1, ") + gzip.compress(b"2]"))
    assert read_json(path) == [1, 2]


ONE_BYTE = ["iso-8859-1", "cp1252", "koi8-r"]


@pytest.mark.parametrize("name", ["csv", "label_files", "trec", "parallel", "stream"])
@pytest.mark.parametrize("encoding", ONE_BYTE)
def test_utf_8_is_never_read_as_an_encoding_that_reads_everything(tmp_path, name, encoding):
    source = LINES[name](tmp_path, lambda text: text.replace("dog", "café").encode())
    with pytest.raises(UserError, match=f"text in {encoding}, got UTF-8"):
        prepare(replace(source, encoding=encoding))
    prepare(replace(source, encoding="utf-8"))


def test_a_document_in_utf_8_is_a_dead_letter_among_those_of_another_encoding(tmp_path):
    for name, text in (("x/1", "café".encode("latin-1")), ("x/2", "café".encode()), ("y/1", b"a")):
        path = tmp_path / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
    source = LabelFolders(path=tmp_path, encoding="iso-8859-1")
    prepare(source)
    first, second, third = read_all(source)
    assert (first.fields["text"], third.fields["text"]) == ("café", "a")
    assert (second.key, second.reason) == ("x/2.txt", "it is UTF-8, no iso-8859-1")


@pytest.mark.parametrize("name", ["csv", "tsv", "jsonl", "label_files", "trec", "parallel"])
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
def test_utf_16_at_the_end_of_other_text_is_dead_letters(tmp_path, name, encoding):
    tail = "wide words\twide\nwide:wide words\n".encode("utf-16-le")
    source = LINES[name](tmp_path, lambda text: text.encode() * 9 + tail)
    if name != "jsonl" or encoding == "utf-8":
        source = replace(source, encoding=encoding)
    prepare(source)
    raw = read_all(source)
    texts = [r.fields for r in raw if not isinstance(r, DeadLetter)]
    assert len(texts) >= len(ROWS)
    assert not any("\0" in value for fields in texts for value in fields.values())
    assert sum("UTF-16, or zeros" in r.reason for r in raw if isinstance(r, DeadLetter)) >= 2


@pytest.mark.parametrize("write", [LINES["csv"], LINES["tsv"], LINES["clips"]])
def test_a_header_once_more_is_no_row(tmp_path, write):
    source = write(tmp_path, lambda text: (text * 2).encode())
    prepare(source)
    raw = read_all(source)
    (letter,) = [r for r in raw if isinstance(r, DeadLetter) and "once more" in r.reason]
    assert letter.reason == "the names of the columns once more"
    assert "label" not in {r.fields.get("label") for r in raw if not isinstance(r, DeadLetter)}


def test_a_header_of_a_table_whose_columns_are_named_is_no_row(tmp_path):
    (tmp_path / "train.tsv").write_text("text\tlabel\na dog\tx\n")
    header, row = read_all(ClassTable(path=tmp_path, columns=("text", "label")))
    assert (header.reason, row.fields["label"]) == ("the names of the columns once more", "x")


@pytest.mark.parametrize("write", [LINES["csv"], LINES["tsv"], LINES["clips"]])
def test_a_column_that_is_there_twice_is_told_in_a_few_words(tmp_path, write):
    def double(text):
        return "".join(
            f"{line}{separator}{line.rpartition(separator)[2]}{wide if not number else ''}\n"
            for number, line in enumerate(text.splitlines())
            for separator in ("\t" if "\t" in line else ",")
            for wide in (separator.join(["", *map(str, range(9999))]),)
        ).encode()

    with pytest.raises(UserError) as fault:
        prepare(write(tmp_path, double))
    assert "expected one column called label, got 2 (" in str(fault.value)
    assert len(str(fault.value)) < 1000


@pytest.mark.parametrize("there", ["NFC", "NFD"])
@pytest.mark.parametrize("asked", ["NFC", "NFD"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_columns_are_called_alike_however_accents_are_written(tmp_path, there, asked, form):
    name = {kind: unicodedata.normalize(kind, "catégorie") for kind in (there, asked)}
    row = json.dumps({"text": "a dog", name[there]: "x"}, ensure_ascii=False)
    table = f"text,{name[there]}\na dog,x\n" if form == "csv" else f"{row}\n"
    (tmp_path / f"train.{form}").write_text(table, encoding="utf-8")
    source = ClassTable(path=tmp_path, label=name[asked])
    prepare(source)
    (reference,) = read_all(source)
    assert reference.fields == {"text": "a dog", "label": "x"}


def test_nothing_but_files_is_named_in_coco(tmp_path):
    (tmp_path / "train").mkdir()
    os.mkfifo(tmp_path / "captions.json")
    with pytest.raises(UserError, match="none"):
        prepare(CocoCaptions(path=tmp_path))


def _coco(folder: Path, name: str):
    content = {
        "images": [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": name}],
        "annotations": [{"id": n, "image_id": n, "caption": "a dog"} for n in (1, 2)],
    }
    (folder / "captions_train2017.json").write_text(json.dumps(content))
    (folder / "train2017").mkdir()
    (folder / "train2017" / "1.jpg").touch()
    return CocoCaptions(path=folder)


def _flickr_names(folder: Path, name: str):
    (folder / "x.token.txt").write_text(f"1.jpg#0\ta dog\n{name}#0\ta cat\n")
    (folder / "1.jpg").touch()
    return Flickr8k(path=folder)


@pytest.mark.parametrize("write", [_coco, _flickr_names])
@pytest.mark.parametrize("name", ["../secret.jpg", "a/../../../secret.jpg", "/{}/secret.jpg"])
def test_a_table_names_no_image_outside_of_its_folder(tmp_path, write, name):
    folder, name = tmp_path / "raw", name.format(tmp_path)
    folder.mkdir()
    for place in (tmp_path, folder):
        (place / "secret.jpg").touch()
    if write is _flickr_names:
        (folder / "secret.jpg").unlink()
    (one, other) = read_all(write(folder, name))
    references, letters = sorted([one, other], key=lambda each: isinstance(each, DeadLetter)), other
    assert isinstance(letters, DeadLetter)
    assert letters.reason == f"{name} is not inside the folder"
    assert Path(references[0].fields["image"]).name == "1.jpg"
