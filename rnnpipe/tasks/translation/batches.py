"""Inputs and targets of a translator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from rnnpipe.inputs.batches import Batch
from rnnpipe.inputs.pools import make_pooled_batches
from rnnpipe.inputs.targets import shift_targets
from rnnpipe.inputs.text_augmentation import TextField, augment_texts
from rnnpipe.inputs.token_batches import make_token_batches
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.tasks.translation.config import TranslationTrain
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.training.guided_alignment import ALIGNMENT

_TOKENS = ("source_tokens", "target_tokens")
_LINKS, _ID = "links", "pair_id"


def make_translation_batches(
    records: RecordsDirectory,
    split: str,
    *,
    batch_size: int,
    shuffle_seed: int | None,
    batch_tokens: int | None = None,
    texts: Sequence[TextField] = (),
    links: bool = False,
) -> tf.data.Dataset:
    """The batches of a split, of about equal lengths, see `make_pair`.

    Args:
        records: the records.
        split: one of their splits.
        batch_size: pairs of a batch.
        shuffle_seed: seed of the order; without one it is the same each time.
        batch_tokens: target tokens of a batch at most, in the place of `batch_size`.
        texts: the sides that are read otherwise than they are in the records.
        links: whether the inputs have the `alignment` of the records.

    Raises:
        UserError: the records have no such split.
    """
    batches = _sort(
        records,
        split,
        batch_size,
        batch_tokens,
        fields=(*_TOKENS, *(field.text for field in texts), *([_LINKS] if links else [])),
        shuffle_seed=shuffle_seed,
        transform=dict if texts else make_pair,
    )
    if not texts or shuffle_seed is None:
        return batches
    return augment_texts(batches, texts, shuffle_seed).map(make_pair)


def make_pair_ids(
    records: RecordsDirectory, *, batch_size: int, shuffle_seed: int, batch_tokens: int | None
) -> tf.data.Dataset:
    """The ids of the pairs of each training batch, see `make_translation_batches`."""
    return _sort(
        records,
        "train",
        batch_size,
        batch_tokens,
        fields=(*_TOKENS, _ID),
        shuffle_seed=shuffle_seed,
        transform=lambda batch: batch[_ID],
    )


def _sort(
    records: RecordsDirectory,
    split: str,
    batch_size: int,
    batch_tokens: int | None,
    **options: Any,
) -> tf.data.Dataset:
    if batch_tokens is None:
        return make_pooled_batches(records, split, batch_size=batch_size, by=_TOKENS, **options)
    return make_token_batches(records, split, tokens=batch_tokens, by=_TOKENS, **options)


def make_pair(batch: Batch) -> tuple[Batch, tf.Tensor]:
    """({`source`, `target`}, targets), all ids `(batch, time)`.

    `target` begins with the start token; the targets are shifted and end with the end token. With
    links of tokens the inputs have `alignment`, `(batch, target_time, source_time)`.
    """
    decoder_inputs, targets = shift_targets(batch["target_tokens"])
    inputs = {"source": tf.cast(batch["source_tokens"], tf.int32), "target": decoder_inputs}
    if _LINKS in batch:
        inputs[ALIGNMENT] = _make_alignment(batch[_LINKS], tf.shape(targets), inputs["source"])
    return inputs, targets


def _make_alignment(links: tf.Tensor, targets: tf.Tensor, source: tf.Tensor) -> tf.Tensor:
    """1 where a target token is linked to a source token, `(batch, target_time, source_time)`."""
    pairs = tf.reshape(links, (targets[0], -1, 2)) - 1  # -1 of padding: no place at all
    of_source = tf.one_hot(pairs[..., 0], tf.shape(source)[1])
    of_target = tf.one_hot(pairs[..., 1], targets[1])
    return tf.minimum(tf.einsum("blt,bls->bts", of_target, of_source), 1.0)


def augmented_texts(folder: Path, train: TranslationTrain, max_tokens: int) -> list[TextField]:
    """The sides that training reads otherwise than they are in the records.

    Args:
        folder: of the records.
        train: how it reads them.
        max_tokens: the most that are read.
    """
    sampling, noise = train.subword_sampling, train.source_noise
    sides = (SOURCE, TARGET) if sampling is not None else (SOURCE,) if noise is not None else ()
    return [
        TextField(
            side,
            f"{side}_tokens",
            Tokenizer.load(folder / side),
            max_tokens,
            sampling=sampling,
            noise=noise if side == SOURCE else None,
        )
        for side in sides
    ]
