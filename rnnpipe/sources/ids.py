"""Numbers of images and questions, in whatever form raw data has them."""

import hashlib
from typing import Any, TypeGuard

_END = 1 << 63  # records hold 63 bits and a sign


def is_id(value: Any) -> TypeGuard[int]:
    """Whether a value is a number that a question or an image can have."""
    return type(value) is int and 0 <= value < _END


def read_id(value: Any) -> int | None:
    """The number that a value of raw data stands for; None where it stands for none.

    A number may be written as text or, by programs that know no others, as a fraction: `"9"` and
    `9.0` are 9. Any other text is given a number of its own, which is a hash of it.

    Example:
        >>> read_id(9), read_id("009"), read_id(9.0), read_id(9.5), read_id(True), read_id(None)
        (9, 9, 9, None, None, None)
        >>> read_id("scene-0")
        7256650523327309599
    """
    if is_id(value):
        return value
    if isinstance(value, float) and value.is_integer():
        return read_id(int(value))
    if not isinstance(value, str) or not value.strip():
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal() and len(text) < len(str(_END)):
        return int(text)
    return hash_id(text)


def hash_id(text: str) -> int:
    """A number of 63 bits that a text has on every machine."""
    digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
