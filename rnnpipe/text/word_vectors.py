"""The vectors that the tokens of a vocabulary have from elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.storage.arrays import read_arrays

if TYPE_CHECKING:  # what reads a config needs no NumPy
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

VECTORS_FILE = "word_vectors.npz"


@dataclass(frozen=True, slots=True)
class WordVectors:
    """The vectors that some of the tokens of a vocabulary have from elsewhere.

    Args:
        ids: of the tokens, `(known,)`, in ascending order.
        vectors: theirs, `(known, features)`, float32.
        tokens: how many tokens the vocabulary has.
        coverage: the share of the running words of the training texts that have a vector.
        unreadable_rows: of the file that they come from.

    Example:
        >>> import numpy
        >>> rows = numpy.array([[1.0, 2.0], [3.0, 4.0]], "float32")
        >>> vectors = WordVectors(numpy.array([4, 6]), rows, tokens=8, coverage=0.75)
        >>> vectors.size, vectors.notice
        (2, '2 of 8 tokens have word vectors, and 75.0% of the words of the training texts')
    """

    ids: "Array"
    vectors: "Array"
    tokens: int
    coverage: float
    unreadable_rows: int = 0

    @property
    def size(self) -> int:
        """How many features each vector has."""
        return int(self.vectors.shape[1])

    @property
    def summary(self) -> dict[str, Any]:
        """What `stats.json` keeps: how many tokens have vectors, and how much text they cover."""
        counts = {"tokens": self.tokens, "found": len(self.ids), "coverage": self.coverage}
        return {**counts, "unreadable_rows": self.unreadable_rows}

    @property
    def notice(self) -> str:
        """The same as a sentence."""
        unreadable = self.unreadable_rows
        return (
            f"{len(self.ids):,} of {self.tokens:,} tokens have word vectors, and "
            f"{self.coverage:.1%} of the words of the training texts"
            + (f"; {unreadable:,} rows of their file cannot be read" if unreadable else "")
        )

    def save(self, folder: Path) -> None:
        """Writes `word_vectors.npz` into a folder; the same vectors give the same bytes."""
        import numpy as np

        np.savez(folder / VECTORS_FILE, **{each.name: getattr(self, each.name) for each in _FIELDS})

    @classmethod
    def load(cls, folder: Path) -> "WordVectors | None":
        """Reads what `save` wrote; None if there is no such file.

        Raises:
            UserError: the file is damaged.
        """
        path = folder / VECTORS_FILE
        if not path.is_file():
            return None
        try:
            arrays = read_arrays(path)
            return cls(**{each.name: _pick(arrays, each.name) for each in _FIELDS})
        except (OSError, ValueError, KeyError) as fault:
            got = f"{type(fault).__name__}: {fault}"
            raise UserError(str(path), "word vectors", got, "build the records again") from fault


_FIELDS = fields(WordVectors)
_KINDS = {"ids": (1, "i"), "vectors": (2, "f"), "tokens": (0, "i"), "coverage": (0, "f")}
"""How many axes the arrays of a file have, and numbers of which kind."""


def _pick(arrays: "Mapping[str, Array]", name: str) -> Any:
    array, (axes, kind) = arrays[name], _KINDS.get(name, (0, "i"))
    if (array.ndim, array.dtype.kind) != (axes, kind) or (
        axes and len(array) != len(arrays["ids"])
    ):
        raise ValueError(f"{name} has the shape {array.shape} and the type {array.dtype}")
    return array if axes else array.item()


def find_word_vectors(folder: Path) -> dict[str, WordVectors]:
    """Those of all vocabularies of a records directory, by the names of their files."""
    paths = sorted(folder.rglob(VECTORS_FILE))
    found = ((path, WordVectors.load(path.parent)) for path in paths)
    return {str(path.relative_to(folder)): vectors for path, vectors in found if vectors}
