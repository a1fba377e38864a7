"""The stages of recognizing speech, from their config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnpipe.audio import LogMel
from rnnpipe.errors import located
from rnnpipe.metrics.corpus import CorpusMetric
from rnnpipe.quiet import import_keras
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.storage.endings import SOUND_ENDINGS
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.batching import padded_length
from rnnpipe.tasks.inputs import Input, integer
from rnnpipe.tasks.network import Bound, Function, Network
from rnnpipe.tasks.predictor import Predictor
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.row_names import name_tokens
from rnnpipe.tasks.speech.config import SpeechConfig, SpeechSearchOptions
from rnnpipe.text.tokenizer import MODEL_FILE, SETTINGS_FILE, Tokenizer
from rnnpipe.training.row_names import RowNames

if TYPE_CHECKING:
    import keras

    from rnnpipe.audio import LogMelOptions
    from rnnpipe.models.speech_recognizer import SpeechRecognizerOptions
    from rnnpipe.parts.search import FindToken
    from rnnpipe.tasks.speech.recognition import Recognizer

_SMALL = 16  # tokens of the vocabulary that a model is tried with
WITHOUT_RECURRENCE = "without_recurrence"


class SpeechTask(Task[SpeechConfig]):
    """Speech recognition.

    Args:
        config: the run's config.
    """

    name = "speech"
    extras = ("speech",)
    main_metric = "wer"
    inputs = (
        Input(
            "audio",
            "a sound file",
            metavar="FILE",
            accepts=(bytes, np.ndarray),
            endings=SOUND_ENDINGS,
        ),
        Input("n-best", "texts, at most the beam width", integer(1), None, "N"),
    )
    streams = True
    vocabulary = (MODEL_FILE, SETTINGS_FILE)
    record_fields = ("utterance_id", "reference")
    preprocessing = ("sound", "features")

    @property
    def softmax_outputs(self) -> Sequence[str]:  # type: ignore[override]  # by the config
        """The logits of CTC and of the decoder, of those that the model has."""
        return tuple(self.config.model.output.loss_weights)

    def check_model(self) -> None:
        """Builds the model for a small vocabulary.

        Raises:
            UserError: its parts do not fit each other.
        """
        self._build(self.config.model, _SMALL)

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The recognizer, with all outputs."""
        return self._build_model(records, self.config.model)

    def build_baselines(self, records: RecordsDirectory) -> Mapping[str, keras.Model]:
        """The model without recurrence."""
        model = self.config.model
        if model.encoder is None or not self.config.train.baseline:
            return {}
        return {WITHOUT_RECURRENCE: self._build_model(records, replace(model, encoder=None))}

    def _build_model(
        self, records: RecordsDirectory, options: SpeechRecognizerOptions
    ) -> keras.Model:
        from rnnpipe.inputs.feature_statistics import measure_features

        tokenizer = Tokenizer.load(records.path)
        mels = self.config.log_mel.mels
        mean, variance = measure_features(records, self._log_mel, mels)
        return self._build(options, tokenizer.vocabulary_size, mean=mean, variance=variance)

    def _build(
        self, options: SpeechRecognizerOptions, vocab: int, **statistics: Any
    ) -> keras.Model:
        import_keras()
        from rnnpipe.models.speech_recognizer import build_speech_recognizer

        mels = self.config.log_mel.mels
        return build_speech_recognizer(options, mels=mels, vocab=vocab, **statistics)

    @property
    def _log_mel(self) -> LogMelOptions | None:
        """What makes features of the samples of records; None: these hold features."""
        return self.config.log_mel if self.config.data.features is None else None

    def check_records(self, records: RecordsDirectory) -> None:
        """CTC has paths for the texts; the beam and the constraints fit the vocabulary."""
        from rnnpipe.tasks.speech.feasibility import check_feasibility

        if self.config.model.output.has_ctc:
            check_feasibility(records, self.config.log_mel, self.config.model.frames)
        tokenizer = Tokenizer.load(records.path)
        search = self.config.evaluate.search
        if search.has_decoder(self.config.model.output):
            with located("evaluate.search"):
                search.check_vocabulary(tokenizer.vocabulary_size)
            search.constraints.make(self._token_finder(tokenizer))

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The model with the outputs that have a loss."""
        import keras

        from rnnpipe.training.trainer import Trainer

        outputs = {name: model.output[name] for name in self.config.model.output.loss_weights}
        return Trainer(keras.Model(model.input, outputs, name=model.name))

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """The losses of CTC and of the decoder's tokens, each in nats per token."""
        from rnnpipe.models.speech_recognizer import CTC, LOGITS
        from rnnpipe.training.ctc import MeanCTCLoss
        from rnnpipe.training.token_targets import TokenCrossEntropy

        del model
        weights = self.config.model.output.loss_weights
        losses = {CTC: MeanCTCLoss(), LOGITS: TokenCrossEntropy(self.config.train.label_smoothing)}
        return {"loss": {name: losses[name] for name in weights}, "loss_weights": weights}

    def make_callbacks(
        self, trainer: keras.Model, model: keras.Model, records: RecordsDirectory, weights: Path
    ) -> Sequence[keras.callbacks.Callback]:
        """Scores of the decoded validation split, and the mean of the best epochs."""
        from rnnpipe.tasks.speech.validation import SpeechScores
        from rnnpipe.tasks.validation import validation_callbacks

        keep = self.config.train.keep_best
        scores = SpeechScores(
            self._recognizer(model, records.path, greedy=True),
            records,
            trainer,
            self.make_batches(records, "validation"),
        )
        mode = self.monitor()[1]
        return validation_callbacks(
            scores, metric=keep.metric, average=keep.average, mode=mode, weights=weights
        )

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """The batches of a split, see `make_utterances`; those of training of about one length."""
        from rnnpipe.tasks.speech.batches import make_pair

        output = self.config.model.output
        batches = self._make_utterances(records, split, shuffle_seed)
        return batches.map(lambda inputs, tokens: make_pair(inputs, tokens, output))

    def make_record_ids(self, records: RecordsDirectory, shuffle_seed: int) -> Any:
        """The ids of the utterances of each training batch."""
        return self._make_utterances(records, "train", shuffle_seed, ids=True)

    def _make_utterances(
        self, records: RecordsDirectory, split: str, seed: int | None, *, ids: bool = False
    ) -> Any:
        from rnnpipe.inputs.utterances import make_utterances

        return make_utterances(
            records,
            split,
            log_mel=self._log_mel,
            batch_size=self.batch_size(seed),
            shuffle_seed=seed,
            augmentation=self.config.train.augment,
            ids=ids,
        )

    def row_names(self, folder: Path) -> Mapping[str, RowNames]:
        """The tokens of the outputs and of the decoder's embedding."""
        layers = "ctc", "decoder/target_embedding", "decoder/logits"
        return name_tokens(Tokenizer.load(folder), *layers)

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """Word and character error rates beside the baselines', with spectrograms."""
        from rnnpipe.tasks.speech.evaluation import evaluate

        recognizers = {
            name: self._recognizer(baseline, records.path) for name, baseline in baselines.items()
        }
        return evaluate(
            self._recognizer(model, records.path),
            records,
            split,
            self.make_inputs(records, split),
            recognizers,
            log_mel=self.config.log_mel,
            step=self.config.model.frames * self.config.log_mel.hop,
        )

    def score(self, network: Network, records: RecordsDirectory, split: str) -> Mapping[str, float]:
        """The scores of the texts of a split."""
        from rnnpipe.tasks.speech.evaluation import score_recognizer

        recognizer = self._make_recognizer(network, self._search_options)
        return score_recognizer(recognizer, records, split, self.make_inputs(records, split))

    def corpus_metrics(self) -> Sequence[CorpusMetric]:
        """The error rates of words and of characters."""
        from rnnpipe.tasks.speech.metrics import error_rate

        return [error_rate("wer", "word"), error_rate("cer", "character")]

    def make_network(self, model: keras.Model, folder: Path) -> Network:
        """The functions `call` of CTC, `search` of a decoder, and `step` of CTC alone."""
        return self._make_network(model, self._search_options, folder)

    def _make_network(
        self, model: keras.Model, options: SpeechSearchOptions, folder: Path
    ) -> Network:
        from rnnpipe.models.speech_recognizer import take_ctc
        from rnnpipe.tasks.network import make_function
        from rnnpipe.tasks.shallow_fusion import FUSED
        from rnnpipe.tasks.speech.network import make_search, make_step

        output, language_model = self.config.model.output, self.find_language_model(options)
        network: dict[str, Function] = {}
        if output.has_ctc:
            network["call"] = make_function(take_ctc(model))
        if options.has_decoder(output):
            find_token = self._token_finder(Tokenizer.load(folder))
            return {**network, "search": make_search(model, options, find_token, language_model)}
        if language_model is not None:
            network[FUSED] = language_model.make_function()
        return {**network, "step": make_step(model)}

    @property
    def bounds(self) -> Mapping[str, Mapping[str, Bound]]:
        """The most frames of a record."""
        log_mel, seconds = self.config.log_mel, self.config.data.sound.max_seconds
        frames = LogMel(log_mel).count_frames(round(seconds * log_mel.rate))
        length = padded_length(frames, multiple=self.config.model.frames)
        return {function: {"features": Bound(length)} for function in ("call", "search")}

    def complete_network(self, network: Network, folder: Path) -> Network:
        """The same with the function `search` around `encode` and `step`, where there is none."""
        from rnnpipe.tasks.speech.search import make_decode
        from rnnpipe.tasks.step_search import with_search

        output, options = self.config.model.output, self._search_options
        if not options.has_decoder(output):
            return network
        decode = make_decode(self._token_finder(Tokenizer.load(folder)))
        joint = output.has_ctc and options.ctc_weight > 0
        return with_search(network, decode, options, returns_scores=joint)

    def _token_finder(self, tokenizer: Tokenizer) -> FindToken:
        from rnnpipe.tasks.beam_decoder import token_finder

        return token_finder(tokenizer.pieces, "evaluate.search.constraints")

    def make_predictor(self, folder: Path, network: Network) -> Predictor:
        """Writes the transcript, with a picture; also word by word as it is heard."""
        from rnnpipe.tasks.speech.predictor import SearchingSpeechPredictor, SpeechPredictor

        searches = self._search_options.has_decoder(self.config.model.output)
        predictor = SearchingSpeechPredictor if searches else SpeechPredictor
        return predictor(
            folder,
            self.config.log_mel,
            self._make_recognizer(network, self._search_options),
            self.config.model.frames,
            **self.predictor_options(network),
        )

    @property
    def _search_options(self) -> SpeechSearchOptions:
        return self.config.evaluate.search.limit(self.config.data.text.max_tokens)

    def _recognizer(self, model: keras.Model, folder: Path, *, greedy: bool = False) -> Recognizer:
        options = self._search_options
        if greedy:
            alone = options.has_decoder(self.config.model.output)
            options = options.make_greedy()
            # Scores of CTC for each token of a text take many times as long.
            options = replace(options, ctc_weight=0.0) if alone else options
        return self._make_recognizer(self._make_network(model, options, folder), options)

    def _make_recognizer(self, network: Network, options: SpeechSearchOptions) -> Recognizer:
        from rnnpipe.tasks.speech.recognition import Recognizer

        return Recognizer(network, options, self.config.model.frames)
