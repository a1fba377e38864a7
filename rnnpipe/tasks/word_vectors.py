"""Word vectors in a run: the embedding agrees with what the data has."""

from __future__ import annotations

from collections.abc import Iterable

from rnnpipe.errors import UserError, located
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.transforms.recipes.word_vectors import WordVectorOptions

_KEY = "model.embedding"


def check_embedding(
    embedding: EmbeddingOptions,
    vectors: WordVectorOptions | None,
    default: EmbeddingOptions,
    *,
    is_decoder: bool = False,
) -> None:
    """Checks that no setting is without effect.

    Args:
        embedding: the embedding.
        vectors: those of the data, if it has some.
        default: the embedding that the model has by default.
        is_decoder: whether the same table is for the tokens that a decoder writes.

    Raises:
        UserError: one is.
    """
    with located(_KEY):
        if vectors is None:
            embedding.require_default("vectors", "without word vectors in data")
        else:
            embedding.require_default("scale", "with word vectors", default)
        if is_decoder and embedding.vectors == "both":
            expected, fix = "tuned or frozen, as a decoder reads one table", "choose one of both"
            raise UserError("vectors", expected, "both", fix)


def check_vector_sizes(
    embedding: EmbeddingOptions, vectors: Iterable[WordVectorOptions | None]
) -> None:
    """Checks that word vectors have the size of the embedding, by the first lines of their files.

    Raises:
        UserError: they have another one, or a file cannot be read.
    """
    for each in vectors:
        if each is not None:
            size = each.file.size
            with located(_KEY):
                embedding.check_vectors(size)
