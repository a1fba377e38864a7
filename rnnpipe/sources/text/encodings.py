"""In which encoding bytes are, as far as they show it themselves."""

import codecs
import re
from functools import cache

from rnnpipe.errors import UserError

_MARKED_UTF8 = b"\xef\xbb\xbf\n"  # utf-8-sig puts its mark before everything
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MANY_LETTERS = 80  # of 128; Shift JIS has 63 of a byte each
_PACKED = {
    re.compile(rb"\x1f\x8b\x08"): "gzip in gzip",
    re.compile(rb"PK\x03\x04"): "a zip archive",
    re.compile(rb"BZh[1-9]1AY&SY"): "a bzip2 file",
    re.compile(rb"\xfd7zXZ\x00"): "an xz file",
    re.compile(rb"\x28\xb5\x2f\xfd"): "a Zstandard file",
    re.compile(rb"7z\xbc\xaf\x27\x1c"): "a 7z archive",
    re.compile(rb"Rar!\x1a\x07"): "a RAR archive",
}


def check_encoding(name: str) -> str:
    """The name, if it is that of an encoding which spells ASCII, and so line ends, as ASCII does.

    Raises:
        UserError: it is none.
    """
    try:
        if "\n".encode(name) in (b"\n", _MARKED_UTF8):
            return name
        got = f"{name}, which is not like ASCII"
    except (LookupError, TypeError, ValueError):
        got = repr(name)
    raise UserError(
        "encoding",
        "an encoding such as utf-8, iso-8859-1 or cp1252",
        got,
        "name another one, or convert the files to UTF-8",
    )


def is_wide(raw: bytes) -> bool:
    """Whether it is UTF-16 or UTF-32, by its mark, or by the zeros that half of Latin text is."""
    return raw.startswith(_WIDE_MARKS) or (0 in raw and raw.count(0) > len(raw) // 3)


def packing_of(raw: bytes) -> str | None:
    r"""What packed the file that begins so; None where it is not packed.

    Example:
        >>> packing_of(b"PK\x03\x04..."), packing_of(b"Dear reader, ")
        ('a zip archive', None)
    """
    return next((what for magic, what in _PACKED.items() if magic.match(raw)), None)


def has_other_mark(raw: bytes, encoding: str) -> bool:
    """Whether its mark is of UTF-8, though the encoding is another one, which may read it too."""
    return raw.startswith(codecs.BOM_UTF8) and not codecs.lookup(encoding).name.startswith("utf-8")


@cache
def reads_everything(encoding: str) -> bool:
    """Whether nearly each byte is a character: text of other encodings is read, as nonsense.

    Example:
        >>> reads_everything("iso-8859-1"), reads_everything("utf-8"), reads_everything("gbk")
        (True, False, False)
    """
    letters = (bytes([byte]).decode(encoding, "ignore") for byte in range(0x80, 0x100))
    return sum(map(bool, letters)) > _MANY_LETTERS


class Utf8Detector:
    """Whether text that comes in pieces is UTF-8, and cannot be ASCII.

    Letters beyond ASCII that make UTF-8 by chance are hardly ever met: text of one byte for each
    would need two or three that no language writes side by side, wherever it has one.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8, self._is_ascii = True, True

    def feed(self, raw: bytes, *, is_last: bool = False) -> None:
        """Takes the next piece."""
        self._is_ascii = self._is_ascii and raw.isascii()
        if self._is_utf8:
            try:
                self._decoder.decode(raw, final=is_last)
            except UnicodeDecodeError:
                self._is_utf8 = False

    def ends(self) -> bool:
        """Whether all of it was UTF-8, where nothing follows."""
        self.feed(b"", is_last=True)
        return self._is_utf8 and not self._is_ascii


def is_utf8(raw: bytes) -> bool:
    """Whether bytes are UTF-8, and not ASCII alone."""
    detector = Utf8Detector()
    detector.feed(raw)
    return detector.ends()
