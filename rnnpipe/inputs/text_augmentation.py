"""Texts that training cuts into other tokens, or reads with other words, in every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.errors import UserError
from rnnpipe.settings import Settings, fraction, setting
from rnnpipe.text.tokens import PAD

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from rnnpipe.inputs.batches import Batch
    from rnnpipe.text.tokenizer import Tokenizer, TokenizerKind

    Array = np.ndarray[Any, np.dtype[Any]]

_MULTIPLE = 4  # of padded lengths, as those of pools


class SubwordSamplingOptions(Settings):
    """Texts are cut into other subwords in every epoch of training.

    Source: Kudo, Subword Regularization, 2018; Provilkov, Emelianenko and Voita, BPE-Dropout, 2020.
    """

    alpha: float = setting(
        0.1,
        "SentencePiece's alpha: of bpe the probability that a merge is left out, of unigram the "
        "power of the probabilities by which a segmentation is drawn",
        gt=0,
        le=1,
    )
    nbest_size: int = setting(
        -1,
        "SentencePiece's nbest_size, of unigram: it draws from so many likeliest segmentations; "
        "-1: from all",
        ge=-1,
    )

    def check(self) -> None:
        """One segmentation alone is no choice."""
        if self.nbest_size in (0, 1):
            expected, got = "-1, or at least 2", str(self.nbest_size)
            raise UserError("nbest_size", expected, got, "write -1, or leave out the section")

    def check_tokenizer(self, kind: TokenizerKind) -> None:
        """Checks that a tokenizer has several ways to cut a text.

        Raises:
            UserError: it has not, or no n best ones; `where` is below that of the section.
        """
        if kind not in ("bpe", "unigram"):
            expected = f"null with the tokenizer {kind}, which cuts a text in one way"
            fix = "remove it, or write tokenizer: unigram"
            raise UserError("subword_sampling", expected, "settings", fix)
        if kind == "bpe" and self.nbest_size != type(self).nbest_size:
            expected = f"{type(self).nbest_size} with the tokenizer bpe"
            where, got = "subword_sampling.nbest_size", str(self.nbest_size)
            raise UserError(where, expected, got, "remove it")


class TextNoiseOptions(Settings):
    """Words of a text are dropped and change their places in training.

    Source: Lample, Conneau, Denoyer and Ranzato, Unsupervised Machine Translation Using Monolingual
    Corpora Only, 2018, section 2.3.
    """

    drop: float = fraction(0.0, "words that are dropped")
    shuffle: int = setting(
        0, "places that a word is moved by at most: words in a window change their order", ge=0
    )

    def check(self) -> None:
        """There is some noise."""
        if not self.drop and not self.shuffle:
            fix = "set drop or shuffle, or leave out the section"
            raise UserError("drop", "above 0 without shuffle", "0", fix)

    def __call__(self, text: str, random: np.random.Generator) -> str:
        """A text with noise; at least one word is left of it.

        Args:
            text: with spaces between its words.
            random: where the noise comes from.
        """
        import numpy as np

        words = text.split()
        if self.drop:
            kept = random.random(len(words)) >= self.drop
            kept[random.integers(len(words))] |= not kept.any()
            words = [word for word, is_kept in zip(words, kept, strict=True) if is_kept]
        if self.shuffle:
            # A word is passed only by those less than a window of `shuffle + 1` behind it.
            places = np.arange(len(words)) + random.uniform(0, self.shuffle + 1, len(words))
            words = [words[place] for place in np.argsort(places, kind="stable")]
        return " ".join(words)


@dataclass(frozen=True)
class TextField:
    """A text of records, and how it becomes tokens in training.

    Args:
        text: the field of the text as it was read.
        tokens: the field of its tokens.
        tokenizer: of the records.
        max_tokens: the most that are read.
        keep: which part is kept of a longer text; None: the tokens of the record are read in the
            place of a longer sample.
        sampling: how it is cut; None: as in the records.
        noise: what happens to its words before; None: nothing.
    """

    text: str
    tokens: str
    tokenizer: Tokenizer
    max_tokens: int
    keep: Literal["start", "end"] | None = None
    sampling: SubwordSamplingOptions | None = None
    noise: TextNoiseOptions | None = None

    def draw(self, texts: Sequence[bytes], tokens: Array, seed: int) -> Array:
        """The tokens of a batch, drawn anew.

        Args:
            texts: as they were read, UTF-8.
            tokens: those of the records, `(batch, time)`, padded.
            seed: of the draws.

        Returns:
            `(batch, new time)` int64, padded.
        """
        import numpy as np

        drawn = self._encode([text.decode() for text in texts], seed)
        rows = [self._choose(*pair) for pair in zip(drawn, tokens, strict=True)]
        padded = np.full((len(rows), max(map(len, rows), default=0)), PAD, "int64")
        for place, row in enumerate(rows):
            padded[place, : len(row)] = row
        return padded

    def _encode(self, texts: Sequence[str], seed: int) -> list[list[int]]:
        import numpy as np

        normal = [self.tokenizer.normalizer(text) for text in texts]
        if self.noise is not None:
            random = np.random.default_rng(seed)
            normal = [self.noise(text, random) if text.split() else text for text in normal]
        if self.sampling is None:
            return self.tokenizer.encode_normal(normal)
        alpha, nbest_size = self.sampling.alpha, self.sampling.nbest_size
        return self.tokenizer.sample_normal(normal, alpha=alpha, nbest_size=nbest_size, seed=seed)

    def _choose(self, drawn: Sequence[int], tokens: Array) -> Any:
        if drawn and len(drawn) <= self.max_tokens:
            return drawn
        if not drawn or self.keep is None:
            return tokens[tokens != PAD]
        return drawn[: self.max_tokens] if self.keep == "start" else drawn[-self.max_tokens :]


def augment_texts(
    batches: tf.data.Dataset, fields: Sequence[TextField], seed: int
) -> tf.data.Dataset:
    """Batches whose tokens are drawn anew in every epoch.

    All draws of a batch follow from its seed, and the seeds from that of the order: a training
    that is resumed has the samples that it would have had.

    Args:
        batches: of parsed records, with the texts and tokens of all fields.
        fields: what is drawn; the other fields stay as they are.
        seed: of the draws.
    """
    import tensorflow as tf

    from rnnpipe.inputs.pools import trim
    from rnnpipe.inputs.prefetching import prefetch

    # A draw within the map would be the same in every epoch.
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)

    def draw(batch: Batch, number: tf.Tensor) -> Batch:
        drawn = {
            field.tokens: _draw(field, batch, number + place) for place, field in enumerate(fields)
        }
        return batch | {name: trim(tokens, _MULTIPLE) for name, tokens in drawn.items()}

    both = tf.data.Dataset.zip(batches, seeds)
    return prefetch(both.map(draw, num_parallel_calls=2, deterministic=True), 4)


def _draw(field: TextField, batch: Batch, seed: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    inputs = [batch[field.text], tf.cast(batch[field.tokens], tf.int64), seed]
    tokens = tf.numpy_function(field.draw, inputs, tf.int64, stateful=False)
    return tf.ensure_shape(tokens, (None, None))
