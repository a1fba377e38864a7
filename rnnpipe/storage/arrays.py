"""Files of several arrays, as `numpy.savez` writes them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rnnpipe.errors import UserError
from rnnpipe.storage.json_files import parse_json_as
from rnnpipe.storage.seal import FIX, check_sealed
from rnnpipe.storage.whole_files import check_regular

if TYPE_CHECKING:  # what reads a config needs no NumPy
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

T = TypeVar("T")


def read_arrays(path: Path) -> "dict[str, Array]":
    """The arrays of a file, by name.

    Raises:
        OSError: the file is missing, or no regular one.
        ValueError: it is damaged, or has something else in it.
    """
    import numpy as np  # noqa: PLC0415  # as above

    check_regular(path)
    with path.open("rb") as raw:
        try:
            with np.load(raw) as file:
                return dict(file)
        except Exception as fault:
            # Damage makes NumPy and zipfile raise a dozen kinds of errors, without a common base.
            raise ValueError(f"{type(fault).__name__}: {fault}") from fault


def read_sealed_arrays(path: Path, key: str, kind: type[T]) -> "tuple[dict[str, Array], T]":
    """The arrays of a sealed file, and what one of them says of the others.

    Args:
        path: the file.
        key: the name of the array that is JSON.
        kind: the type of that JSON, see `parse_json_as`.

    Raises:
        UserError: the file is missing or damaged, or has something else in it.
    """
    check_sealed(path)
    try:
        arrays = read_arrays(path)
        return arrays, parse_json_as(kind, str(arrays.pop(key)))
    except (OSError, ValueError, KeyError) as fault:
        expected, got = "the arrays that a training wrote there", f"something else ({fault})"
        raise UserError(str(path), expected, got, FIX) from fault
