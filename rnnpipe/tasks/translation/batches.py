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

_TOKENS = ("source_tokens", "target_tokens")


def make_translation_batches(
    records: RecordsDirectory,
    split: str,
    *,
    batch_size: int,
    batch_tokens: int | None,
    shuffle_seed: int | None,
    texts: Sequence[TextField] = (),
) -> tf.data.Dataset:
    """The batches of a split, of about equal lengths, see `make_pair`.

    Args:
        records: the records.
        split: one of their splits.
        batch_size: pairs of a batch.
        batch_tokens: target tokens of a batch at most, in the place of `batch_size`.
        shuffle_seed: seed of the order; without one it is the same each time.
        texts: the sides that are read otherwise than they are in the records.

    Raises:
        UserError: the records have no such split.
    """
    shared: dict[str, Any] = {
        "fields": (*_TOKENS, *(field.text for field in texts)),
        "by": _TOKENS,
        "shuffle_seed": shuffle_seed,
        "transform": dict if texts else make_pair,
    }
    if batch_tokens is None:
        batches = make_pooled_batches(records, split, batch_size=batch_size, **shared)
    else:
        batches = make_token_batches(records, split, tokens=batch_tokens, **shared)
    if not texts or shuffle_seed is None:
        return batches
    return augment_texts(batches, texts, shuffle_seed).map(make_pair)


def make_pair(batch: Batch) -> tuple[Batch, tf.Tensor]:
    """({`source`, `target`}, targets), all ids `(batch, time)`.

    `target` begins with the start token; the targets are shifted and end with the end token.
    """
    decoder_inputs, targets = shift_targets(batch["target_tokens"])
    source = tf.cast(batch["source_tokens"], tf.int32)
    return {"source": source, "target": decoder_inputs}, targets


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
