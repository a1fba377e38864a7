"""Readers of speech: files of sound, and the tables, texts and names that tell what is said."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import strategies as st

from rnnpipe.audio import LogMel, LogMelOptions, to_float
from rnnpipe.audio.wav import make_wav
from rnnpipe.errors import BadRecord
from rnnpipe.sources.audio.grid import GridAudio
from rnnpipe.sources.audio.librispeech import LibriSpeech
from rnnpipe.sources.audio.recording import Recording
from rnnpipe.sources.audio.spoken_digits import SpokenDigits
from rnnpipe.sources.audio.table import UtteranceTable
from rnnpipe.sources.audio.text_files import TextFiles
from tests.fuzz.cases import Reader, mutated, put
from tests.fuzz.texts import ENCODINGS, read
from tests.sources.audio.writing import encode, tone

_RATE, _SECONDS = 8000, 0.25
_CODECS = {
    **{".flac": "flac", ".mp3": "libmp3lame", ".opus": "libopus", ".m4a": "aac"},
    **{".aiff": "pcm_s16be", ".au": "pcm_mulaw", ".mka": "pcm_f32le", ".wv": "wavpack"},
}
_LONGEST = 20 * _RATE  # samples: a header that is another one may be right about more
_STARTS = st.sampled_from((None, None, None, 0.0, 0.1, 0.2, 0.25, 0.26, 3.0, 1e9))
_LENGTHS = st.sampled_from((None, None, None, 0.001, 0.1, 0.2, 0.25, 0.26, 3.0, 1e9))
_TABLE = b"file,text,start,end,speaker,split\na/1.wav,one,0,0.5,ann,train\n" + (
    "a/1.wav,two,0.5,1,ann,train\nb 2.flac,three caf\u00e9,,,7,test\n3.wav,four,,,,val\n".encode()
)
_CHAPTER = b"84-1-0000 IT IS SO\n84-1-0001 A DOG'S DAY\n84-1-0002 NO\n"
_SPEAKERS = b";ID  |SEX| SUBSET           |MINUTES| NAME\n84   | F | dev-clean        |  8.02 | A\n"
_GRID = b"file,sentence,split\naudio/bbaf3s.wav,bin blue at f three soon,train\n" + (
    b"audio/s1/lgwzzn.wav,lay green with z zero now,test\n"
)
_LABELS = b"0 12000 sil\n12000 24000 one\n24000 36000 two\n"
_TRICKS = (b"../secret.wav", b"/etc/hostname", b"1e400", b"-5", b"a/1.wav,", b"84-1-0001 ")
_NAMES = ("7_ann_0", "0_b_c_12", "9__4", "\u0663_ann_1", "7_ann_" + "9" * 40, "7_ann", "x_ann_0")
_CODES = ("bbaf3s", "LGWZZN", "bbaf3", "bbaw3s", "\u0131baf3s", "bba\u01323s", "\ufb01af3s", "sil")


def _files() -> list[bytes]:
    """A short tone in many formats."""
    files = [make_wav((tone(_SECONDS, _RATE) * 32767).astype("int16"), _RATE)]
    with TemporaryDirectory() as folder:
        for ending, codec in _CODECS.items():
            rate = 48000 if codec == "libopus" else _RATE
            path = encode(Path(folder) / f"a{ending}", tone(_SECONDS, rate), rate, codec)
            files.append(path.read_bytes())
    return files


_FILES = _files()


def _read_sound(case: Any, folder: Path) -> None:
    data, start, length = case
    recording = Recording(put(folder / "a.wav", data), _RATE)
    end = None if length is None else (start or 0) + length
    sound = recording.read(start, end, max_seconds=_LONGEST / _RATE)
    assert sound.samples.dtype == np.int16
    assert 0 < len(sound.samples) <= _LONGEST + 1
    assert 0 <= sound.clipped <= len(sound.samples)
    assert np.isfinite(LogMel(LogMelOptions(rate=_RATE))(to_float(sound.samples))).all()
    if data == _FILES[0] and start is end is None:
        assert len(sound.samples) == _SECONDS * _RATE
    again = recording.read(start, end, max_seconds=_LONGEST / _RATE)  # from the start once more
    assert again.samples.tolist() == sound.samples.tolist()


def _check_inside(items: list[Any], folder: Path) -> None:
    """No sound lies outside of the folder."""
    paths = [Path(item.fields["sound"]) for item in items if hasattr(item, "fields")]
    assert all(path.resolve().is_relative_to(folder.resolve()) for path in paths)


def _read_table(case: Any, folder: Path) -> None:
    data, name, spans = case
    put(folder / name, data)
    for sound in ("a/1.wav", "b 2.flac", "3.wav"):
        put(folder / sound, b"")
    columns = {"start": "start", "end": "end"} if spans else {}
    table = UtteranceTable(
        path=folder, table=Path(name), speaker="speaker", split="split", **columns
    )
    items = read(table)
    _check_inside(items, folder)
    if data == _TABLE and name.endswith("csv") and spans:
        assert [len(each) for each in (items, table.notices)] == [4, 0]


def _read_chapter(case: Any, folder: Path) -> None:
    chapter, speakers = case
    put(folder / "train-clean" / "84" / "1" / "84-1.trans.txt", chapter)
    put(folder / "SPEAKERS.TXT", speakers)
    for number in (0, 1, 2):
        put(folder / "train-clean" / "84" / "1" / f"84-1-000{number}.flac", b"")
    _check_inside(read(LibriSpeech(path=folder)), folder)


def _read_texts(case: Any, folder: Path) -> None:
    text, encoding = case
    put(folder / "train" / "a" / "1.wav", b"")
    put(folder / "train" / "a" / "1.txt", text)
    source = TextFiles(path=folder, speaker_folders=True, encoding=encoding)
    source.check()
    assert len(read(source)) == 1  # an utterance or a dead letter


def _read_grid(case: Any, folder: Path) -> None:
    table, code = case
    named = _put_named(folder / "audio", f"{code}.wav")
    for name in ("bbaf3s.wav", "s1/lgwzzn.wav"):
        put(folder / "audio" / name, b"")
    try:
        if table is None:
            assert len(read(GridAudio(path=folder, table=None))) == 2 + (code != "bbaf3s") * named
        else:
            put(folder / "utterances.csv", table)
            _check_inside(read(GridAudio(path=folder)), folder)
    finally:
        (folder / "audio" / f"{code}.wav").unlink(missing_ok=True)


def _read_digits(case: str, folder: Path) -> None:
    put(folder / "recordings" / "1_ann_7.wav", b"")
    name = f"{case}.wav"
    if not _put_named(folder / "recordings", name):
        raise BadRecord("name file", "no file can have that name")
    try:
        source = SpokenDigits(path=folder)
        items = read(source)
        assert len(items) + sum(name in notice for notice in source.notices) >= 1
    finally:
        (folder / "recordings" / name).unlink()


def _put_named(folder: Path, name: str) -> bool:
    """Writes an empty file, if one can have that name."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        (folder / name).touch()
    except (OSError, ValueError):
        return False
    return True


def _named(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Names of files, some of them changed."""
    letters = st.text(
        st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), max_size=3
    )
    return st.tuples(st.sampled_from(names), st.integers(0, 8), letters).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
    )


_MAYBE: Callable[..., Any] = partial(st.one_of, st.none())
READERS = (
    Reader(
        "sounds",
        st.tuples(st.sampled_from(_FILES).flatmap(mutated), _STARTS, _LENGTHS),
        _read_sound,
        300,
    ),
    Reader(
        "tables of utterances",
        st.tuples(mutated(_TABLE, _TRICKS), st.sampled_from(("u.csv", "u.tsv")), st.booleans()),
        _read_table,
        150,
    ),
    Reader(
        "chapters of LibriSpeech",
        st.tuples(mutated(_CHAPTER, _TRICKS), mutated(_SPEAKERS)),
        _read_chapter,
        100,
    ),
    Reader(
        "texts of sounds",
        st.tuples(
            st.sampled_from((b"It is so.\n", _LABELS, "Caf\u00e9\n".encode())).flatmap(mutated),
            st.sampled_from(ENCODINGS),
        ),
        _read_texts,
        100,
    ),
    Reader(
        "sound of GRID",
        st.tuples(_MAYBE(mutated(_GRID, _TRICKS)), _named(_CODES)),
        _read_grid,
        100,
    ),
    Reader("names of spoken digits", _named(_NAMES), _read_digits, 50),
)
