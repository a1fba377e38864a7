"""The task of translation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import located
from rnnpipe.metrics.corpus import CorpusMetric
from rnnpipe.parts.attention_wrappers import ReinforceOptions
from rnnpipe.quiet import import_keras
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import SOURCE, TARGET
from rnnpipe.requirements import require
from rnnpipe.tasks.base import Task
from rnnpipe.tasks.batching import padded_length
from rnnpipe.tasks.constraints import search_inputs
from rnnpipe.tasks.inputs import Input
from rnnpipe.tasks.network import Bound, Graph, Network
from rnnpipe.tasks.predictor import Predictor
from rnnpipe.tasks.results import Evaluation
from rnnpipe.tasks.row_names import name_tokens
from rnnpipe.tasks.translation.config import TranslationConfig, TranslationSearchOptions
from rnnpipe.tasks.word_vectors import check_vector_sizes
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import PAD
from rnnpipe.text.word_vectors import WordVectors
from rnnpipe.training.row_names import RowNames

if TYPE_CHECKING:
    import keras

    from rnnpipe.parts.search import FindToken
    from rnnpipe.tasks.search_function import SearchFunction
    from rnnpipe.tasks.translation.search import TranslationSearch
    from rnnpipe.tasks.translation.texts import TranslationTexts

_SMALL = 16  # tokens of the vocabularies that a model is tried with


class TranslationTask(Task[TranslationConfig]):
    """Translation of sentences.

    Args:
        config: the run's config.
    """

    name = "translation"
    extras = ("translation",)
    main_metric = "bleu"
    inputs = (Input("text", "a text to translate"), *search_inputs("translation"))
    scored_inputs = (
        Input("text", "a text to translate"),
        Input("translation", "a translation of it, to score"),
    )
    text_field = "source"
    vocabulary = (SOURCE, TARGET)
    output_tokenizer = TARGET
    softmax_outputs = ("logits",)
    record_fields = ("pair_id", "source", "reference")
    record_score = "chrf"

    def check_model(self) -> None:
        """Builds the model for a small vocabulary.

        Raises:
            UserError: its parts do not fit each other.
        """
        text = self.config.data.text
        check_vector_sizes(self.config.model.embedding, [text.vectors, text.target_vectors])
        self._build(_SMALL, _SMALL)

    def check_records(self, records: RecordsDirectory) -> None:
        """The beam fits the vocabulary, which has the tokens of the constraints.

        Raises:
            UserError: it does not, or it lacks one.
        """
        target = Tokenizer.load(records.path / TARGET)
        with located("evaluate.search"):
            self.config.evaluate.search.check_vocabulary(target.vocabulary_size)
        self.config.evaluate.search.constraints.make(self._token_finder(target))

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The translator, with logits and alignments as outputs."""
        source, target = (Tokenizer.load(records.path / side) for side in (SOURCE, TARGET))
        return self._build(
            source.vocabulary_size,
            target.vocabulary_size,
            source_vectors=WordVectors.load(records.path / SOURCE),
            target_vectors=WordVectors.load(records.path / TARGET),
        )

    def _build(
        self,
        source_vocab: int,
        target_vocab: int,
        source_vectors: WordVectors | None = None,
        target_vectors: WordVectors | None = None,
    ) -> keras.Model:
        import_keras()
        from rnnpipe.models.translator import build_translator

        return build_translator(
            self.config.model,
            source_vocab=source_vocab,
            target_vocab=target_vocab,
            source_vectors=source_vectors,
            target_vectors=target_vectors,
        )

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The logits; with the alignments where they are guided or reinforced."""
        train = self.config.train
        if "probabilities" not in model.output and not train.guided_alignment:
            return super().wrap_model(model)
        from rnnpipe.training.alignments import AlignmentTrainer
        from rnnpipe.training.guided_alignment import GuidedAlignmentTrainer

        reinforce = asdict(train.reinforce or ReinforceOptions())
        if not train.guided_alignment:
            return AlignmentTrainer(model, **reinforce)
        weight = train.guided_alignment
        return GuidedAlignmentTrainer(model, guided_alignment=weight, **reinforce)

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
        """Scheduled sampling, scores of the decoded validation split, mean of the best epochs."""
        from rnnpipe.tasks.translation.validation import TranslationScores
        from rnnpipe.tasks.validation import validation_callbacks

        keep, sampling = self.config.train.keep_best, self.config.model.decoder.scheduled_sampling
        greedy = self._search_options.make_greedy()
        scores = TranslationScores(
            self._search(model, greedy, records.path),
            self._texts(records.path),
            records,
            trainer,
            self.make_batches(records, "validation"),
            lowercase=self.config.evaluate.lowercase,
            bleu_tokenizer=self.config.evaluate.bleu_tokenizer,
        )
        mode = self.monitor()[1]
        return [
            *([sampling.make_callback(model.get_layer("decoder"))] if sampling else []),
            *validation_callbacks(
                scores, metric=keep.metric, average=keep.average, mode=mode, weights=weights
            ),
        ]

    def make_batches(
        self, records: RecordsDirectory, split: str, *, shuffle_seed: int | None = None
    ) -> Any:
        """Batches of ({`source`, `target`}, targets), see `make_translation_batches`."""
        from rnnpipe.tasks.translation.batches import augmented_texts

        train, limit = self.config.train, self.config.data.text.max_tokens
        if shuffle_seed is None:
            return self._make_batches(records, split)
        return self._make_batches(
            records,
            split,
            shuffle_seed,
            batch_tokens=train.batch_tokens,
            texts=augmented_texts(records.path, train, limit),
            links=train.guided_alignment > 0,
        )

    def _make_batches(
        self, records: RecordsDirectory, split: str, seed: int | None = None, **options: Any
    ) -> Any:
        from rnnpipe.tasks.translation.batches import make_translation_batches

        size = self.batch_size(seed)
        return make_translation_batches(
            records, split, batch_size=size, shuffle_seed=seed, **options
        )

    def make_record_ids(self, records: RecordsDirectory, shuffle_seed: int) -> Any:
        """The ids of the pairs of each training batch."""
        from rnnpipe.tasks.translation.batches import make_pair_ids

        return make_pair_ids(
            records,
            batch_size=self.batch_size(shuffle_seed),
            shuffle_seed=shuffle_seed,
            batch_tokens=self.config.train.batch_tokens,
        )

    def row_names(self, folder: Path) -> Mapping[str, RowNames]:
        """The tokens of both embeddings and of the logits."""
        source, target = (Tokenizer.load(folder / side) for side in (SOURCE, TARGET))
        layers = "target_embedding", "decoder/target_embedding", "decoder/logits"
        return {**name_tokens(source, "source_embedding"), **name_tokens(target, *layers)}

    def evaluate(
        self,
        model: keras.Model,
        records: RecordsDirectory,
        split: str,
        baselines: Mapping[str, keras.Model] = MappingProxyType({}),
    ) -> Evaluation:
        """BLEU and chrF of beam search beside the baselines', with alignments."""
        from rnnpipe.tasks.translation.evaluation import evaluate

        settings, has_links = self.config.evaluate, "links" in records.spec.fields
        return evaluate(
            model,
            records,
            split,
            self.make_batches(records, split),
            self._search(model, self._search_options, records.path),
            self._texts(records.path),
            aligned=self._make_batches(records, split, links=True) if has_links else None,
            lowercase=settings.lowercase,
            bleu_tokenizer=settings.bleu_tokenizer,
            unseen_lengths=settings.unseen_lengths,
        )

    def score(self, network: Network, records: RecordsDirectory, split: str) -> Mapping[str, float]:
        """BLEU and chrF of the translations of a split."""
        from rnnpipe.tasks.translation.evaluation import score_search
        from rnnpipe.tasks.translation.search import TranslationSearch

        settings = self.config.evaluate
        return score_search(
            TranslationSearch(network["search"], self._search_options, settings.batch_size),
            self._texts(records.path),
            records,
            split,
            lowercase=settings.lowercase,
            bleu_tokenizer=settings.bleu_tokenizer,
            unseen_lengths=settings.unseen_lengths,
        )

    def corpus_metrics(self) -> Sequence[CorpusMetric]:
        """BLEU, of the translations that count in it."""
        from rnnpipe.tasks.translation.metrics import bleu

        settings = self.config.evaluate
        return [bleu(lowercase=settings.lowercase, tokenize=settings.bleu_tokenizer)]

    def make_network(self, model: keras.Model, folder: Path) -> Network:
        """The function `search`."""
        return {"search": self._make_search(model, self._search_options, folder)}

    @property
    def bounds(self) -> Mapping[str, Mapping[str, Bound]]:
        """The most tokens of a source."""
        source = Bound(padded_length(self.config.data.text.max_tokens), padding=PAD)
        return {"search": {"source": source}}

    def complete_network(self, network: Network, folder: Path) -> Network:
        """The same with the function `search` around `encode` and `step`, where there is none."""
        from rnnpipe.tasks.step_search import with_search
        from rnnpipe.tasks.translation.search import make_decode

        find_token = self._token_finder(Tokenizer.load(folder / TARGET))
        return with_search(network, make_decode(find_token), self._search_options)

    def make_predictor(self, folder: Path, network: Network) -> Predictor:
        """Translates texts, with the alignment of the best translation."""
        from rnnpipe.tasks.translation.predictor import TranslationPredictor

        if self._search_options.reranks:
            require("translation", where="evaluate.search.minimum_bayes_risk")
        return TranslationPredictor(
            folder,
            self._search_options,
            self.config.data.text.max_tokens,
            lowercase=self.config.evaluate.lowercase,
            **self.predictor_options(network),
        )

    def make_scorer(self, model: keras.Model, folder: Path) -> Predictor:
        """Scores given translations, also with an ensemble."""
        from rnnpipe.tasks.scorer import make_likelihood
        from rnnpipe.tasks.translation.scorer import TranslationScorer

        limit, options = self.config.data.text.max_tokens, self.scorer_options
        return TranslationScorer(folder, limit, **options(make_likelihood(model)))

    def make_text_graph(self, network: Network, folder: Path) -> Graph:
        """Translates texts within the graph."""
        from rnnpipe.tasks.translation.text_graph import make_text_graph

        for name in ("replace_unknown", "minimum_bayes_risk"):
            with located("evaluate.search"):
                self._search_options.require_default(name, "within a graph of texts")
        limit = self.config.data.text.max_tokens
        return make_text_graph(network, folder, self._search_options, limit)

    @property
    def _search_options(self) -> TranslationSearchOptions:
        return self.config.evaluate.search.limit(self.config.data.text.max_tokens)

    def _texts(self, folder: Path) -> TranslationTexts:
        from rnnpipe.tasks.translation.texts import TranslationTexts

        lowercase = self.config.evaluate.lowercase
        return TranslationTexts(folder, self._search_options, lowercase=lowercase)

    def _search(
        self, model: keras.Model, options: TranslationSearchOptions, folder: Path
    ) -> TranslationSearch:
        from rnnpipe.tasks.translation.search import TranslationSearch

        search = self._make_search(model, options, folder)
        return TranslationSearch(search, options, self.config.evaluate.batch_size)

    def _make_search(
        self, model: keras.Model, options: TranslationSearchOptions, folder: Path
    ) -> SearchFunction:
        from rnnpipe.tasks.translation.network import make_search

        find_token = self._token_finder(Tokenizer.load(folder / TARGET))
        return make_search(model, options, find_token, self.find_language_model(options))

    def _token_finder(self, target: Tokenizer) -> FindToken:
        from rnnpipe.tasks.beam_decoder import token_finder

        return token_finder(target.pieces, "evaluate.search.constraints")
