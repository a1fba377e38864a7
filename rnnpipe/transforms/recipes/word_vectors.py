"""How a vocabulary gets vectors that were learnt elsewhere."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.settings import FilePath, Settings, setting
from rnnpipe.sources.text.vector_file import VectorFile, VectorRow
from rnnpipe.storage.paths import hash_file
from rnnpipe.text.normalize import JOIN, Normalizer
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import END
from rnnpipe.text.word_vectors import WordVectors

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_SPACE = "▁"  # how SentencePiece writes the space before a word


class WordVectorOptions(Settings):
    """Vectors of words that were learnt elsewhere, e.g. GloVe, word2vec or fastText."""

    path: FilePath = setting(
        help="the file: .txt or .vec, or .bin of word2vec, plain or gzipped, here or in a store"
    )
    words: int = setting(
        0,
        "how many of its most frequent words join the vocabulary beyond those of the training "
        "texts; for the tokenizer word",
        ge=0,
    )

    @property
    def file(self) -> VectorFile:
        """The file."""
        return VectorFile(self.path)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the records depend on: the file counts by its content."""
        content = hash_file(self.path, "vectors.path", "name a file of word vectors")
        return {"content": content, "words": self.words}

    def further_words(self, normalizer: Normalizer) -> list[str]:
        """The words that join the vocabulary, in the order of the file, as text is normalised."""
        rows = islice(self.file, self.words)
        words = (normalizer(row.word) for row in rows if row is not None)
        return [word for word in dict.fromkeys(words) if word and " " not in word]

    def match(self, tokenizer: Tokenizer, counts: Mapping[str, int]) -> WordVectors:
        """The vectors of the tokens that are words.

        A word that the file spells as the vocabulary does comes before one that is only normalised
        to it, such as *Paris* in a vocabulary of small letters; of those the first one counts.

        Args:
            tokenizer: of the vocabulary.
            counts: how often each word occurs in the training texts.

        Raises:
            UserError: no token has a vector.
        """
        file, matching = self.file, _Matching(tokenizer)
        for row in file:
            matching.add(row, file.size)
        return matching.finish(self, counts)


class _Matching:
    """The vectors of the tokens, as far as a file was read."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._ids: dict[str, list[int]] = {}
        for number, word in _words(tokenizer):
            self._ids.setdefault(word, []).append(number)
        self._exact: dict[str, Array] = {}
        self._similar: dict[str, Array] = {}
        self._unreadable = 0

    def add(self, row: VectorRow | None, size: int) -> None:
        """Takes a row of the file."""
        if row is None:
            self._unreadable += 1
            return
        vectors, word = self._exact, row.word
        if word not in self._ids:
            vectors, word = self._similar, self._tokenizer.normalizer(word)
        if word not in self._ids or word in vectors:
            return
        if (vector := row.read(size)) is None:
            self._unreadable += 1
        else:
            vectors[word] = vector

    def finish(self, options: WordVectorOptions, counts: Mapping[str, int]) -> WordVectors:
        """What was found."""
        import numpy as np

        found = {**self._similar, **self._exact}
        by_id = {number: found[word] for word in found for number in self._ids[word]}
        if not by_id:
            expected = "vectors of words of the training texts"
            got, fix = "none of them", "name a file of their language"
            raise UserError(str(options.path), expected, got, fix)
        ids = np.array(sorted(by_id), np.int32)
        vectors = np.stack([by_id[number] for number in sorted(by_id)])
        covered = sum(count for word, count in counts.items() if word.strip(JOIN) in found)
        coverage = covered / max(sum(counts.values()), 1)
        tokens = self._tokenizer.vocabulary_size
        return WordVectors(ids, vectors, tokens, coverage, self._unreadable)


def _words(tokenizer: Tokenizer) -> Iterator[tuple[int, str]]:
    """The tokens that are whole words or marks, as files of vectors spell them."""
    for number, piece in enumerate(tokenizer.pieces):
        word = piece.removeprefix(_SPACE).strip(JOIN)
        is_whole = piece.startswith(_SPACE) or not any(map(str.isalnum, piece))
        if number > END and word and is_whole:
            yield number, word
