"""The task of translation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.tasks.base import Evaluation, Prediction, Task
from rnnpipe.tasks.inputs import Input, integer
from rnnpipe.tasks.text_data import make_text_pair_recipe, open_text_pairs
from rnnpipe.tasks.translation.config import TranslationConfig
from rnnpipe.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from rnnpipe.inputs.batches import Batch
    from rnnpipe.sources.source import Source
    from rnnpipe.tasks.translation.search import TranslationSearch
    from rnnpipe.transforms.recipes.base import Recipe


class TranslationTask(Task[TranslationConfig]):
    """Translation of sentences.

    Args:
        config: the run's config.
    """

    name = "translation"
    extras = ("translation",)
    main_metric = "bleu"
    inputs = (
        Input("text", "a text to translate", default=""),
        Input("file", "a file of texts to translate, one per line", Path, None, "FILE"),
        Input("n-best", "translations per text, at most the beam width", integer(1), None, "N"),
    )
    fields = ("source_tokens", "target_tokens")
    vocabulary = (SOURCE, TARGET)

    def open_source(self) -> Source:
        """Pairs of texts."""
        return open_text_pairs(self.config.data.source)

    def make_recipe(self) -> Recipe:
        """Records of a pair each."""
        return make_text_pair_recipe(self.config.data)

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

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """The smoothed cross-entropy of tokens, and their perplexity."""
        from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy

        del model
        loss = TokenCrossEntropy(self.config.train.label_smoothing)
        return {"loss": loss, "metrics": [Perplexity()]}

    def steps_per_epoch(self, records: RecordsDirectory) -> int:
        """The number of training batches; where they are of tokens, records do not count them."""
        return int(self.make_batches(records, "train", shuffle_seed=0).cardinality())

    def make_callbacks(
        self, trainer: keras.Model, model: keras.Model, records: RecordsDirectory, weights: Path
    ) -> Sequence[keras.callbacks.Callback]:
        """Scores of the decoded validation split, and the mean of the best epochs."""
        from rnnpipe.tasks.translation.validation import TranslationScores
        from rnnpipe.tasks.validation import validation_callbacks

        keep = self.config.train.keep_best
        scores = TranslationScores(
            self._search(model, width=1, n_best=1),
            records,
            trainer,
            self.make_batches(records, "validation"),
            lowercase=self.config.evaluate.lowercase,
        )
        mode = self.monitor()[1]
        return validation_callbacks(
            scores, metric=keep.metric, average=keep.average, mode=mode, weights=weights
        )

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """The batches of a split, of about equal lengths; by tokens if the config says so."""
        from rnnpipe.inputs.pools import make_pooled_batches
        from rnnpipe.inputs.token_batches import make_token_batches

        tokens = self.config.train.batch_tokens
        if shuffle_seed is not None and tokens is not None:
            return make_token_batches(
                records,
                split,
                fields=self.fields,
                tokens=tokens,
                shuffle_seed=shuffle_seed,
                transform=lambda batch: self.make_pair(records, batch),
            )
        return make_pooled_batches(
            records,
            split,
            fields=self.fields,
            batch_size=self.batch_size(shuffle_seed),
            shuffle_seed=shuffle_seed,
            transform=lambda batch: self.make_pair(records, batch),
        )

    def make_pair(self, records: RecordsDirectory, batch: Batch) -> tuple[Batch, tf.Tensor]:
        """({`source`, `target`}, targets), all ids `(batch, time)`.

        `target` begins with the start token; the targets are shifted and end with the end token.
        """
        import tensorflow as tf

        from rnnpipe.inputs.targets import shift_targets

        del records
        decoder_inputs, targets = shift_targets(batch["target_tokens"])
        source = tf.cast(batch["source_tokens"], tf.int32)
        return {"source": source, "target": decoder_inputs}, targets

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """BLEU and chrF of beam search beside the baselines', with alignments."""
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
        self, model: keras.Model, folder: Path, inputs: Mapping[str, Any]
    ) -> Prediction | Iterator[str]:
        """The likeliest translations of a text with their alignment, or those of a file.

        Raises:
            UserError: there is no text, the file cannot be read, or `n-best` exceeds the beam.
        """
        from rnnpipe.tasks.beam_decoder import check_n_best
        from rnnpipe.tasks.translation.prediction import Translator, check_inputs

        text, file, beam = inputs["text"], inputs["file"], self.config.evaluate.beam
        check_inputs(text, file)
        n_best = check_n_best(inputs["n-best"], beam.width, beam.n_best if text else 1)
        translator = Translator(
            self._search(model, width=beam.width, n_best=n_best),
            folder,
            self.config.data.text.max_tokens,
        )
        if file is not None:
            return translator.translate_file(file, n_best)
        return translator.translate_text(text)

    def _search(self, model: keras.Model, *, width: int, n_best: int) -> TranslationSearch:
        from rnnpipe.tasks.translation.search import TranslationSearch

        settings = self.config.evaluate
        return TranslationSearch(
            model,
            width=width,
            n_best=n_best,
            length_penalty=settings.beam.length_penalty,
            max_length=settings.beam.max_length,
            max_ratio=settings.beam.max_ratio,
            batch_size=settings.batch_size,
        )
