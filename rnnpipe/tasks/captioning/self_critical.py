"""The second phase of a captioner's training: on CIDEr-D itself."""

from collections.abc import Callable, Iterator
from typing import Any

import keras

from rnnpipe.metrics.captions import CiderD
from rnnpipe.models.captioner import begin_captioning
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.captioning.config import SelfCritical
from rnnpipe.tasks.results import Phase
from rnnpipe.tasks.validation import ValidationScores
from rnnpipe.text.tokens import END
from rnnpipe.training.decoded_scores import DecodedScores
from rnnpipe.training.self_critical import SelfCriticalTrainer


def make_phase(
    model: keras.Model,
    records: RecordsDirectory,
    batches: Any,
    settings: SelfCritical,
    *,
    max_length: int,
    seed: int,
    scores: Callable[[keras.Model], ValidationScores],
    metric: str,
) -> Phase:
    """Self-critical training on CIDEr-D, whose document frequencies are the training split's.

    Args:
        model: the captioner, trained.
        records: the records.
        batches: of images with the tokens of all their captions.
        settings: `train.self_critical`.
        max_length: the most tokens of a caption, the end token included.
        seed: of what is drawn.
        scores: of the validation split, of a trainer.
        metric: the monitored one.
    """
    cider = CiderD(_references(records))
    trainer = SelfCriticalTrainer(
        model,
        begin=lambda images: begin_captioning(model, images),
        reward=cider.score,
        max_length=max_length,
        samples=settings.samples,
        baseline=settings.baseline,
        seed=seed,
    )
    optimizer = settings.optimizer.make(steps=settings.epochs * len(batches))
    trainer.compile(optimizer, jit_compile=False)  # scores are computed in Python
    validation = scores(trainer)
    return Phase(
        "self_critical",
        trainer,
        batches,
        settings.epochs,
        settings.patience,
        [*settings.optimizer.make_callbacks(), DecodedScores(validation.decode_scores)],
        lambda: validation.score(metric),
    )


def _references(records: RecordsDirectory) -> Iterator[list[list[int]]]:
    """The captions of every training image, as tokens up to the end token."""
    for row in records.read("train", ["caption_tokens"]):
        yield [[*tokens, END] for tokens in row["caption_tokens"]]
