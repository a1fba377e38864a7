"""Lists of names: the classes, answers or labels that numbers in records refer to."""

from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.records.inventory import FIX
from rnnpipe.storage.json_files import read_json_as


def read_names(path: Path) -> list[str]:
    """The names in a JSON file, in their order.

    Raises:
        UserError: it cannot be read, or is no list of names.
    """
    try:
        return read_json_as(list[str], path)
    except OSError as error:
        got = error.strerror or str(error)
    except ValueError as error:
        got = f"something else ({error})"
    raise UserError(str(path), "a list of names", got, FIX)
