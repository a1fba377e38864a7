"""What references to texts hold, whatever file they come from; raw values are checked here."""

import hashlib
from typing import Any, NotRequired, TypedDict

from rnnpipe.errors import BadRecord
from rnnpipe.sources.labels import read_label
from rnnpipe.sources.raw_files import fold_name
from rnnpipe.sources.source import Reference
from rnnpipe.sources.text.lines import MAX_BYTES, TOO_LONG


class TextFields(TypedDict):
    """The `fields` of a reference to a text with a class.

    Args:
        text: the text as it was read.
        label: the name of its class.
    """

    text: str
    label: str


class PairFields(TypedDict):
    """The `fields` of a reference to a text and its translation.

    Args:
        source: the text to translate, as it was read.
        target: its translation, as it was read.
        alignment: the links of their words in Pharaoh format; missing where the raw data has none.
    """

    source: str
    target: str
    alignment: NotRequired[str]


def refer_text(key: str, split: str, *, text: Any, label: Any) -> Reference:
    """The reference to a text with a class; equal texts form a group, and so share a split.

    Args:
        key: where it stands in the raw data.
        split: the split that the raw data puts it in.
        text: the text.
        label: its class, see `read_label`.

    Raises:
        BadRecord: text or label are missing or not what they should be.
    """
    text = check_text("the text", text)
    fields = TextFields(text=text, label=read_label(label))
    return Reference(key, group_of(text), split, {**fields})


def refer_pair(
    key: str, split: str, *, source: Any, target: Any, alignment: Any = None
) -> Reference:
    """The reference to a text and its translation; pairs of one source text form a group.

    Args:
        key: where the pair stands in the raw data.
        split: the split that the raw data puts it in.
        source: the text to translate.
        target: its translation.
        alignment: the links of their words, see `PairFields`.

    Raises:
        BadRecord: a side is missing or empty, or the alignment is no text.
    """
    fields = PairFields(
        source=check_text("the source text", source), target=check_text("the target text", target)
    )
    if alignment is not None:
        if not isinstance(alignment, str):
            raise BadRecord("read text", f"the alignment is not text: {alignment!r:.100}")
        fields["alignment"] = alignment
    return Reference(key, group_of(fields["source"]), split, {**fields})


def group_of(text: str) -> str:
    """A name that texts share which differ in nothing but case, white space and forms of accents.

    Example:
        >>> group_of("A  man.") == group_of("a man. ")
        True
    """
    folded = " ".join(text.casefold().split())
    folded = folded if folded.isascii() else fold_name(folded)
    return hashlib.blake2b(folded.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def check_text(what: str, value: Any) -> str:
    """A text of raw data as it is.

    Args:
        what: what it is, for the reason.
        value: the text.

    Raises:
        BadRecord: it is no text, empty, too long or no Unicode (step `read text`).
    """
    if not isinstance(value, str):
        raise BadRecord("read text", f"{what} is not text: {value!r:.100}")
    if not value.strip():
        raise BadRecord("read text", f"{what} is empty")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as fault:  # half of a surrogate pair, which JSON can spell
        raise BadRecord("read text", f"{what} is not Unicode text") from fault
    if size > MAX_BYTES:
        raise BadRecord("read text", f"{what} is {TOO_LONG}")
    return value
