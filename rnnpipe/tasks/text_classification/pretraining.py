"""The language model that a text classifier's layers are pretrained in."""

from typing import Any

from rnnpipe.inputs.pools import make_pooled_batches
from rnnpipe.models.text_classifier import TextClassifierOptions
from rnnpipe.models.text_language_model import build_text_language_model
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.results import Pretraining
from rnnpipe.tasks.text_classification.config import Pretraining as PretrainingOptions
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.word_vectors import WordVectors
from rnnpipe.training.pretraining import TextPretrainer


def make_pretraining(
    records: RecordsDirectory,
    options: TextClassifierOptions,
    settings: PretrainingOptions,
    *,
    seed: int,
) -> Pretraining:
    """A language model of the texts, with the embedding and the recurrence of a classifier.

    Args:
        records: the records.
        options: of the classifier.
        settings: `train.pretraining`.
        seed: of the order of the texts, and of the words that are drawn.
    """
    model = build_text_language_model(
        options,
        vocab=Tokenizer.load(records.path).vocabulary_size,
        dropout=settings.dropout,
        word_vectors=WordVectors.load(records.path),
    )
    trainer = TextPretrainer(model, sampled_words=settings.sampled_words, seed=seed)
    batches = _make_batches(records, "train", settings, shuffle_seed=seed)
    trainer.compile(settings.optimizer.make(steps=settings.epochs * len(batches)))
    return Pretraining(
        "language model",
        model,
        parts=("embedding", "recurrence"),
        trainer=trainer,
        batches=batches,
        validation=_make_batches(records, "validation", settings),
        monitor="val_loss",
        epochs=settings.epochs,
        patience=settings.patience,
        callbacks=[
            *settings.optimizer.make_callbacks(),
            *settings.optimizer.schedule.make_callbacks("val_loss", "min"),
        ],
    )


def _make_batches(
    records: RecordsDirectory,
    split: str,
    settings: PretrainingOptions,
    *,
    shuffle_seed: int | None = None,
) -> Any:
    """Batches of token ids `(batch, time)`, which are inputs and targets."""
    return make_pooled_batches(
        records,
        split,
        fields=("tokens",),
        batch_size=settings.batch_size,
        shuffle_seed=shuffle_seed,
        transform=lambda batch: (batch["tokens"], batch["tokens"]),
    )
