"""What readers are given: valid content, mutated where readers break.

Random bytes are refused by the first check of every format. What lies behind it is reached by valid
files of which a bit, a token, a row or a leaf is another one.
"""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

Cases = st.SearchStrategy[Any]


@dataclass(frozen=True)
class Reader:
    """A reader, what it is given and how it is called.

    Args:
        name: what it reads.
        cases: what it is given.
        read: reads a case; a folder of its own is there for files. It compares what is read with
            an oracle where there is one, and may raise `UserError` and `BadRecord`.
        share: how many of 10,000 cases are its own.
    """

    name: str
    cases: Cases
    read: Callable[[Any, Path], object]
    share: int


TOKENS = (
    b"",
    b"\0",
    b"\n",
    b"\r",
    b"\r\n",
    b"\t",
    b" ",
    b"\x1b[2J\x07",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x1f\x8b\x08",
    b"PK\x03\x04",
    b'"',
    b'""',
    b"'",
    b"\\",
    b"\\ud800",
    "\u2028\u0085\ufeff\u200b".encode(),
    "e\u0301\u00e9\u1e9b\u0323\U0001f600".encode(),
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"-Infinity",
    b"9" * 25,
    b"9" * 5000,
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"#",
    b"[" * 2000,
    b'{"a":' * 500,
    b"../../secret",
    b"/etc/passwd",
    b"s3://x",
    b"a" * 300,
    b"&a *a !!python/object:os.system",
)
"""What is inserted into files of any format."""

_EDITS = ("flip", "cut", "remove", "insert", "repeat", "replace", "swap")


@st.composite
def mutated(draw: st.DrawFn, raw: bytes, tokens: Sequence[bytes] = ()) -> bytes:
    """The bytes of a valid file with some edits, or none.

    Args:
        draw: draws values.
        raw: the file.
        tokens: what is inserted beside `TOKENS`.
    """
    data, known = bytearray(raw), (*TOKENS, *tokens)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        _edit(data, at, draw(st.sampled_from(_EDITS)), draw, known)
    return bytes(data)


def _edit(data: bytearray, at: int, edit: str, draw: st.DrawFn, tokens: Sequence[bytes]) -> None:
    length = draw(st.integers(1, 40))
    match edit:
        case "flip" if at < len(data):
            data[at] ^= 1 << length % 8
        case "cut":
            del data[at:]
        case "remove":
            del data[at : at + length]
        case "repeat":
            data[at:at] = data[at : at + length] * length
        case "swap":
            data[at : at + length] = data[at : at + length][::-1]
        case "insert":
            data[at:at] = draw(st.sampled_from(tokens))
        case "replace":
            token = draw(st.sampled_from(tokens))
            data[at : at + len(token)] = token


_RAW = "\ue000raw:"  # what stands for JSON that Python values cannot spell
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, -0.0, 1e308, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**30),
    *("", " ", "\0", "\x1b[2J", "\n", "../../secret", "/etc/passwd", "\ud800", "é", "e\u0301"),
    *("x" * 5000, "1", "nan", "train", "."),
    *([], {}, [None], {"": None}, [[[]]], {"a": {"b": []}}, [0] * 300),
    *(_RAW + text for text in ("NaN", "-Infinity", "1e999", "9" * 5000, "-0", "01", '"\\ud800"')),
    *(_RAW + text for text in ('{"a":1,"a":2}', "[" * 3000, "[" * 90 + "]" * 90)),
    *(_RAW + text for text in ("[" * 700 + "]" * 700, '{"a":' * 300 + "1" + "}" * 300)),
)
"""What takes the place of a leaf of JSON, or of what is above it."""


@st.composite
def mutated_json(draw: st.DrawFn, value: Any, *, whole: bool = True) -> bytes:
    """The JSON of a value in which some leaves, items or keys are other ones.

    Args:
        draw: draws values.
        value: what is valid.
        whole: whether the text may be mutated too, as that of a damaged file.
    """
    content = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(content))
        if not places:
            break
        parent, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.sampled_from(("set", "set", "set", "delete", "wrap", "rename", "copy"))):
            case "set":
                parent[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "delete":
                del parent[key]
            case "wrap":
                parent[key] = [parent[key]]
            case "rename" if isinstance(parent, dict):
                parent[draw(st.sampled_from(("", "x", "id", "\ud800", "files")))] = parent.pop(key)
            case "copy" if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[key]))
    text = _write(content)
    return draw(mutated(text)) if whole and draw(st.integers(0, 3)) == 0 else text


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for key, child in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(child)


def _write(content: Any) -> bytes:
    text = json.dumps(content)
    start = json.dumps(_RAW)[:-1]
    while (at := text.find(start)) >= 0:
        end = at + len(json.dumps(json.JSONDecoder().raw_decode(text[at:])[0]))
        raw = json.loads(text[at:end]).removeprefix(_RAW)
        text = f"{text[:at]}{raw}{text[end:]}"
    return text.encode()


def put(path: Path, data: bytes) -> Path:
    """Writes a file, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
