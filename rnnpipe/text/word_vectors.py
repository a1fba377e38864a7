"""The vectors that the tokens of a vocabulary have from elsewhere."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from rnnpipe.errors import UserError

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
        import numpy as np

        path = folder / VECTORS_FILE
        if not path.is_file():
            return None
        try:
            with path.open("rb") as raw, np.load(raw) as file:
                values = {each.name: file[each.name] for each in _FIELDS}
            scalars = {name: value.item() for name, value in values.items() if not value.ndim}
            return cls(**{**values, **scalars})
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as fault:
            got = f"{type(fault).__name__}: {fault}"
            raise UserError(str(path), "word vectors", got, "build the records again") from fault


_FIELDS = fields(WordVectors)


def find_word_vectors(folder: Path) -> dict[str, WordVectors]:
    """Those of all vocabularies of a records directory, by the names of their files."""
    paths = sorted(folder.rglob(VECTORS_FILE))
    found = ((path, WordVectors.load(path.parent)) for path in paths)
    return {str(path.relative_to(folder)): vectors for path, vectors in found if vectors}
