"""The stages of captioning, from its config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import located
from rnnpipe.metrics.corpus import CorpusMetric
from rnnpipe.parts.attention_wrappers import ReinforceOptions
from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.quiet import import_keras
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.captioning.config import CaptioningConfig
from rnnpipe.tasks.constraints import search_inputs
from rnnpipe.tasks.image_encoders import make_encoder, make_trial_encoder
from rnnpipe.tasks.image_inputs import image_field, image_input, image_shape, with_features
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.network import Network
from rnnpipe.tasks.predictor import Predictor
from rnnpipe.tasks.results import Evaluation, Phase
from rnnpipe.tasks.row_names import name_tokens
from rnnpipe.tasks.stored_images import PIXELS, read_pixels
from rnnpipe.tasks.word_vectors import check_vector_sizes
from rnnpipe.text.tokenizer import MODEL_FILE, SETTINGS_FILE, Tokenizer
from rnnpipe.text.word_vectors import WordVectors
from rnnpipe.training.row_names import RowNames

if TYPE_CHECKING:
    import keras

    from rnnpipe.parts.schedules import ScheduleOptions
    from rnnpipe.parts.search import FindToken
    from rnnpipe.tasks.captioning.search import CaptionSearch
    from rnnpipe.tasks.captioning.validation import CaptionScores
    from rnnpipe.tasks.search_function import SearchFunction

_SMALL = 8  # tokens of the model that is built on trial


class CaptioningTask(Task[CaptioningConfig]):
    """Captions of images.

    Args:
        config: the run's config.
    """

    name = "captioning"
    extras = ("captions",)
    main_metric = "bleu_4"
    inputs = (image_input(), *search_inputs("caption"))
    scored_inputs = (image_input(), Input("caption", "a caption of it, to score"))
    vocabulary = (MODEL_FILE, SETTINGS_FILE)
    softmax_outputs = ("logits",)
    record_fields = ("image_id", "captions")
    record_score = "cider_d"
    preprocessing = ("image", "features")

    def check_model(self) -> None:
        """Builds the model for a few tokens.

        Raises:
            UserError: its parts do not fit each other, or a file is missing.
        """
        import_keras()
        check_vector_sizes(self.config.model.embedding, [self.config.data.caption.vectors])
        encoder = make_trial_encoder(self.config.model.image_encoder, self.config.data.image.size)
        self._build(encoder, _SMALL)

    def check_records(self, records: RecordsDirectory) -> None:
        """The beam fits the vocabulary, which has the tokens of the constraints.

        Raises:
            UserError: it does not, or it lacks one.
        """
        target = Tokenizer.load(records.path)
        with located("evaluate.search"):
            self.config.evaluate.search.check_vocabulary(target.vocabulary_size)
        self.config.evaluate.search.constraints.make(self._token_finder(target))

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The captioner, with logits and alignments as outputs."""
        tokenizer = Tokenizer.load(records.path)
        shape = image_shape(self.config.data, records)
        encoder = make_encoder(self.config.model.image_encoder, shape)
        word_vectors = WordVectors.load(records.path)
        return self._build(encoder, tokenizer.vocabulary_size, word_vectors)

    def _build(
        self, encoder: keras.Model, vocab: int, word_vectors: WordVectors | None = None
    ) -> keras.Model:
        from rnnpipe.models.captioner import build_captioner  # brings in Keras

        shape = encoder.input.shape[1:]
        return build_captioner(
            self.config.model,
            vocab=vocab,
            image_shape=shape,
            word_vectors=word_vectors,
            image_encoder=encoder,
        )

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The model with the terms that its attention adds to the loss."""
        from rnnpipe.training.alignments import AlignmentTrainer

        train = self.config.train
        return AlignmentTrainer(
            model,
            doubly_stochastic=train.doubly_stochastic,
            **asdict(train.reinforce or ReinforceOptions()),
        )

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """The smoothed cross-entropy of tokens, and their perplexity."""
        from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy

        del model
        loss = TokenCrossEntropy(self.config.train.label_smoothing)
        return {"loss": loss, "metrics": [Perplexity()]}

    def make_callbacks(
        self, trainer: keras.Model, model: keras.Model, records: RecordsDirectory, weights: Path
    ) -> Sequence[keras.callbacks.Callback]:
        """Scheduled sampling, scores of the captioned validation split, mean of the best epochs."""
        from rnnpipe.tasks.validation import validation_callbacks

        keep, sampling = self.config.train.keep_best, self.config.model.decoder.scheduled_sampling
        scores = self._scores(trainer, model, records)
        mode = self.monitor()[1]
        return [
            *([sampling.make_callback(model.get_layer("decoder"))] if sampling else []),
            *validation_callbacks(
                scores, metric=keep.metric, average=keep.average, mode=mode, weights=weights
            ),
        ]

    def schedules(self, records: RecordsDirectory) -> Iterator[tuple[str, ScheduleOptions, int]]:
        """Also that of self-critical training."""
        yield from super().schedules(records)
        if (phase := self.config.train.self_critical) is not None:
            steps = phase.epochs * -(-records.splits["train"] // phase.batch_size)
            yield "train.self_critical.optimizer.schedule", phase.optimizer.schedule, steps

    def make_phases(
        self, model: keras.Model, records: RecordsDirectory, weights: Path
    ) -> Iterator[Phase]:
        """Self-critical training, where the config asks for it."""
        from rnnpipe.tasks.captioning.batches import make_reference_batches
        from rnnpipe.tasks.captioning.self_critical import make_phase

        settings = self.config.train.self_critical
        if settings is None:
            return

        batches = make_reference_batches(
            records,
            "train",
            image_field=image_field(self.config.data),
            image_shape=image_shape(self.config.data, records),
            batch_size=settings.batch_size,
            shuffle_seed=self.config.seed,
            augmentation=self.config.train.augment,
        )
        yield make_phase(
            model,
            records,
            batches,
            settings,
            max_length=self.config.evaluate.search.max_length,
            seed=self.config.seed,
            scores=lambda trainer: self._scores(trainer, model, records),
            metric=self.config.train.keep_best.metric,
        )

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """Batches of ({`image`, `image_index`, `caption`}, targets), see `make_caption_batches`."""
        from rnnpipe.tasks.captioning.batches import make_caption_batches

        return make_caption_batches(
            records,
            split,
            image_field=image_field(self.config.data),
            image_shape=image_shape(self.config.data, records),
            batch_size=self.batch_size(shuffle_seed),
            captions="all" if shuffle_seed is None else self.config.train.captions,
            shuffle_seed=shuffle_seed,
            augmentation=self.config.train.augment,
        )

    def make_record_ids(self, records: RecordsDirectory, shuffle_seed: int) -> Any:
        """The ids of the records of each training batch."""
        return self.read_ids(records, shuffle_seed)

    def row_names(self, folder: Path) -> Mapping[str, RowNames]:
        """The tokens of the embedding and of the logits."""
        layers = "decoder/embedding", "decoder/logits", "embedding", "logits"
        return name_tokens(Tokenizer.load(folder), *layers)

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """COCO's scores of beam search beside the baselines', and the attention."""
        from rnnpipe.tasks.captioning.evaluation import evaluate
        from rnnpipe.tasks.perplexity import measure_perplexity

        search = self._search(model, self.config.evaluate.search, records.path)
        hypotheses = search(self._make_images(records, split))
        perplexity = measure_perplexity(model, self.make_batches(records, split))
        java_metrics = self.config.evaluate.java_metrics
        return evaluate(records, split, hypotheses, perplexity, java_metrics)

    def make_network_inputs(self, records: RecordsDirectory, split: str) -> Any:
        """The images of a split, as pixels."""
        model = replace(self.config.model, image_encoder=PIXELS)
        return read_pixels(self, lambda task: task._make_images(records, split), model)

    def score(self, network: Network, records: RecordsDirectory, split: str) -> Mapping[str, float]:
        """COCO's scores of the captions of a split."""
        from rnnpipe.tasks.captioning.evaluation import score_hypotheses
        from rnnpipe.tasks.captioning.search import CaptionSearch

        search = CaptionSearch(network["search"], self.config.evaluate.search)
        return score_hypotheses(records, split, search(self.make_network_inputs(records, split)))

    def corpus_metrics(self) -> Sequence[CorpusMetric]:
        """BLEU-4 and CIDEr-D, whose document frequencies are those of the whole split."""
        from rnnpipe.tasks.captioning.metrics import bleu_4, cider_d

        return [bleu_4(), cider_d()]

    def make_network(self, model: keras.Model, folder: Path) -> Network:
        """The function `search`; where the model reads features, it reads pixels."""
        search = self._make_search(model, self.config.evaluate.search, folder)
        return {"search": with_features(search, self.config.data.features)}

    def complete_network(self, network: Network, folder: Path) -> Network:
        """The same with the function `search` around `encode` and `step`, where there is none."""
        from rnnpipe.tasks.captioning.search import make_decode
        from rnnpipe.tasks.step_search import with_search

        find_token = self._token_finder(Tokenizer.load(folder))
        return with_search(network, make_decode(find_token), self.config.evaluate.search)

    def make_predictor(self, folder: Path, network: Network) -> Predictor:
        """Captions images, with a picture of the attention at each word."""
        from rnnpipe.tasks.captioning.predictor import CaptionPredictor

        data, search = self.config.data, self.config.evaluate.search
        return CaptionPredictor(folder, data, search, **self.predictor_options(network))

    def make_scorer(self, model: keras.Model, folder: Path) -> Predictor:
        """Scores given captions, also with an ensemble."""
        from rnnpipe.tasks.captioning.scorer import CaptionScorer
        from rnnpipe.tasks.scorer import make_likelihood

        function = with_features(make_likelihood(model), self.config.data.features)
        return CaptionScorer(folder, self.config.data, **self.scorer_options(function))

    def _make_images(self, records: RecordsDirectory, split: str) -> Any:
        from rnnpipe.tasks.captioning.batches import make_image_batches

        return make_image_batches(
            records,
            split,
            image_field=image_field(self.config.data),
            batch_size=self.config.evaluate.batch_size,
        )

    def _scores(
        self, trainer: keras.Model, model: keras.Model, records: RecordsDirectory
    ) -> CaptionScores:
        from rnnpipe.tasks.captioning.validation import CaptionScores

        greedy = self.config.evaluate.search.make_greedy()
        return CaptionScores(
            self._search(model, greedy, records.path),
            records,
            self._make_images(records, "validation"),
            trainer,
            self.make_batches(records, "validation"),
        )

    def _search(
        self, model: keras.Model, options: BeamSearchOptions, folder: Path
    ) -> CaptionSearch:
        from rnnpipe.tasks.captioning.search import CaptionSearch

        return CaptionSearch(self._make_search(model, options, folder), options)

    def _make_search(
        self, model: keras.Model, options: BeamSearchOptions, folder: Path
    ) -> SearchFunction:
        from rnnpipe.tasks.captioning.network import make_search

        find_token = self._token_finder(Tokenizer.load(folder))
        return make_search(model, options, find_token, self.find_language_model(options))

    def _token_finder(self, tokenizer: Tokenizer) -> FindToken:
        from rnnpipe.tasks.beam_decoder import token_finder

        return token_finder(tokenizer.pieces, "evaluate.search.constraints")
