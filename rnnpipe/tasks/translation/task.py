"""The stages of translation, from its config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from rnnpipe.config.schema.translation import TranslationConfig
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.tasks.optimizer import make_optimizer
from rnnpipe.tasks.task import Evaluation, Prediction
from rnnpipe.tasks.text_data import prepare_text_pair_build
from rnnpipe.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    import keras

    from rnnpipe.tasks.translation.search import Search
    from rnnpipe.transforms.build import Build

_FIELDS = ("source_tokens", "target_tokens")
_MINIMISED = ("loss", "perplexity")


class TranslationTask:
    """Translation of sentences.

    Args:
        config: the run's config.
    """

    name = "translation"
    main_metric = "bleu"
    inputs = ()
    options = MappingProxyType({"text": "", "file": "", "n-best": ""})

    def __init__(self, config: TranslationConfig) -> None:
        self.config = config

    def prepare_build(self) -> Build:
        """The build of the records that the config asks for."""
        return prepare_text_pair_build(self.config.data, self.config.build)

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The translator, with logits and alignments as outputs."""
        from rnnpipe.models.translator import build_translator  # brings in Keras

        model = self.config.model
        source, target = (Tokenizer.load(records.path / side) for side in (SOURCE, TARGET))
        return build_translator(
            source_vocab=source.vocabulary_size,
            target_vocab=target.vocabulary_size,
            embedding=model.embedding.size,
            share_embedding=model.embedding.share,
            embedding_dropout=model.embedding.dropout,
            word_dropout=model.embedding.word_dropout,
            encoder=model.encoder.kind,
            encoder_units=model.encoder.units,
            encoder_depth=model.encoder.depth,
            encoder_dropout=model.encoder.dropout,
            attention_units=model.attention.units,
            decoder=model.decoder.kind,
            decoder_units=model.decoder.units,
            decoder_depth=model.decoder.depth,
            decoder_dropout=model.decoder.dropout,
            input_feeding=model.decoder.input_feeding,
            output=model.decoder.output,
            tie_weights=model.decoder.tie_weights,
        )

    def build_trainer(self, model: keras.Model, records: RecordsDirectory) -> keras.Model:
        """The model's logits, compiled with the smoothed loss over tokens."""
        import keras

        from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy

        train = self.config.train
        trainer = keras.Model(model.input, model.output["logits"], name=model.name)
        steps_per_epoch = int(self.make_batches(records, "train", shuffle_seed=0).cardinality())
        trainer.compile(
            optimizer=make_optimizer(train.optimizer, steps=train.epochs * steps_per_epoch),
            loss=TokenCrossEntropy(train.label_smoothing),
            metrics=[Perplexity()],
        )
        return trainer

    def make_callbacks(
        self, trainer: keras.Model, model: keras.Model, records: RecordsDirectory, weights: Path
    ) -> Sequence[keras.callbacks.Callback]:
        """Scores of the decoded validation split, and the mean of the best epochs."""
        from rnnpipe.tasks.translation.validation import TranslationScores
        from rnnpipe.tasks.validation import watch

        keep = self.config.train.keep_best
        scores = TranslationScores(
            self._search(model, width=1, n_best=1),
            records,
            trainer,
            self.make_batches(records, "validation"),
            lowercase=self.config.evaluate.lowercase,
        )
        mode = self.monitor()[1]
        return watch(scores, metric=keep.metric, average=keep.average, mode=mode, weights=weights)

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """Batches of ({`source`, `target`}, targets), all ids `(batch, time)`.

        The model reads `target` from the start token on, and says the targets, which end with the
        end token.
        """
        import tensorflow as tf

        from rnnpipe.inputs.pools import make_pooled_batches
        from rnnpipe.inputs.targets import to_decoder_inputs_and_targets
        from rnnpipe.inputs.token_batches import make_token_batches

        def to_pair(batch: Mapping[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
            source, target = (batch[name] for name in _FIELDS)
            reads, says = to_decoder_inputs_and_targets(target)
            return {"source": tf.cast(source, tf.int32), "target": reads}, says

        train, evaluate = self.config.train, self.config.evaluate
        if shuffle_seed is not None and train.batch_tokens is not None:
            return make_token_batches(
                records,
                split,
                fields=_FIELDS,
                tokens=train.batch_tokens,
                shuffle_seed=shuffle_seed,
                transform=to_pair,
            )
        return make_pooled_batches(
            records,
            split,
            fields=_FIELDS,
            batch_size=evaluate.batch_size if shuffle_seed is None else train.batch_size,
            shuffle_seed=shuffle_seed,
            transform=to_pair,
        )

    def monitor(self) -> tuple[str, Literal["min", "max"]]:
        """The validation metric of `train.keep_best`."""
        metric = self.config.train.keep_best.metric
        return f"val_{metric}", "min" if metric in _MINIMISED else "max"

    def save_vocabulary(self, records: RecordsDirectory, folder: Path) -> None:
        """Copies the tokenizers of both sides."""
        for side in (SOURCE, TARGET):
            (folder / side).mkdir(parents=True, exist_ok=True)
            Tokenizer.load(records.path / side).save(folder / side)

    def evaluate(self, model: keras.Model, records: RecordsDirectory, split: str) -> Evaluation:
        """BLEU and chrF of what a beam finds beside the baselines', with alignments."""
        from rnnpipe.tasks.translation.evaluation import evaluate

        settings = self.config.evaluate
        return evaluate(
            model,
            records,
            split,
            self.make_batches(records, split),
            self._search(model, width=settings.beam.width, n_best=settings.beam.n_best),
            lowercase=settings.lowercase,
            unseen_lengths=settings.unseen_lengths,
        )

    def predict(
        self, model: keras.Model, folder: Path, inputs: Mapping[str, str]
    ) -> Prediction | Iterator[str]:
        """The likeliest translations of a text and where each word came from, or those of a file.

        Raises:
            UserError: there is no text, the file cannot be read, or `n-best` is no number of them.
        """
        from rnnpipe.tasks.translation.prediction import Translator, check_inputs

        beam = self.config.evaluate.beam
        n_best = check_inputs(inputs, beam.width, beam.n_best if inputs["text"] else 1)
        translator = Translator(
            self._search(model, width=beam.width, n_best=n_best),
            folder,
            self.config.data.text.max_tokens,
        )
        if inputs["file"]:
            return translator.translate_file(Path(inputs["file"]), n_best)
        return translator.translate_text(inputs["text"])

    def _search(self, model: keras.Model, *, width: int, n_best: int) -> Search:
        from rnnpipe.tasks.translation.search import Search

        settings = self.config.evaluate
        return Search(
            model,
            width=width,
            n_best=n_best,
            length_penalty=settings.beam.length_penalty,
            max_length=settings.beam.max_length,
            max_ratio=settings.beam.max_ratio,
            batch_size=settings.batch_size,
        )
