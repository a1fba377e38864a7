"""Utterances, whatever data set they come from."""

import math
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from rnnpipe.errors import BadRecord
from rnnpipe.sources.labels import read_optional_label
from rnnpipe.sources.numbers import read_number
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.fields import check_text

Grouping = Literal["speaker", "recording"]


class UtteranceFields(TypedDict):
    """The `fields` of a reference to an utterance.

    Args:
        sound: path of the file.
        start: when it begins, in seconds; `None`: with the file.
        end: when it ends; `None`: with the file.
        text: the transcript, as it was read.
        speaker: who speaks; empty: not known.
    """

    sound: str
    start: float | None
    end: float | None
    text: str
    speaker: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """A sound, or a span of one, with its text.

    Args:
        name: the name of its file, the same on every machine.
        path: its file.
        text: see `UtteranceFields`.
        start: see `UtteranceFields`.
        end: see `UtteranceFields`.
        speaker: see `UtteranceFields`.
        split: the split that the raw data puts it in.
    """

    name: str
    path: str
    text: str
    start: float | None = None
    end: float | None = None
    speaker: str = ""
    split: str = "train"

    @property
    def key(self) -> str:
        """Its name, and its times if it is a span; spans of a file are in the order of their keys.

        Example:
            >>> Utterance("a.wav", "/a.wav", "one", start=1.5).key
            'a.wav:00001.500000-'
        """
        if self.start is None and self.end is None:
            return self.name
        times = ("" if time is None else f"{time:012.6f}" for time in (self.start or 0, self.end))
        return f"{self.name}:{'-'.join(times)}"


def make_utterance(
    name: str,
    path: str,
    *,
    text: Any,
    start: Any = None,
    end: Any = None,
    speaker: Any = None,
    split: str = "train",
) -> Utterance:
    """An utterance of raw values, which are checked.

    Args:
        name: see `Utterance`.
        path: see `Utterance`.
        text: the transcript.
        start: seconds, as a number or as text; None or empty: with the file.
        end: the same.
        speaker: a name or a number; None or empty: not known.
        split: see `Utterance`.

    Raises:
        BadRecord: the text is missing, or a value is not what it should be.

    Example:
        >>> make_utterance("a.wav", "/a.wav", text="one", start="0.5", speaker=7).speaker
        '7'
        >>> make_utterance("a.wav", "/a.wav", text="one", start=2, end=1)
        Traceback (most recent call last):
            ...
        rnnpipe.errors.BadRecord: read times: it goes from 2 to 1
    """
    text = check_text("the text", text)
    first, last = _read_time(start, "start"), _read_time(end, "end")
    if not 0 <= (first or 0) < (math.inf if last is None else last):
        raise BadRecord("read times", f"it goes from {first or 0:g} to {last or 0:g}")
    return Utterance(name, path, text, first, last, read_optional_label(speaker) or "", split)


def _read_time(value: Any, what: str) -> float | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return read_number(value, what, "read times")


def refer_utterance(utterance: Utterance, group_by: Grouping = "speaker") -> Reference:
    """The reference to an utterance, with the fields of `UtteranceFields`.

    Args:
        utterance: what it refers to.
        group_by: what must stay in one split: all that a speaker says, or a recording; where the
            speaker is not known, a recording.
    """
    fields = UtteranceFields(
        sound=utterance.path,
        start=utterance.start,
        end=utterance.end,
        text=utterance.text,
        speaker=utterance.speaker,
    )
    group = utterance.speaker if group_by == "speaker" else ""
    return Reference(
        utterance.key,
        group or utterance.name,
        utterance.split,
        {**fields},
        file=utterance.name,
    )
