"""The stages of captioning, from its config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.tasks.base import Evaluation, Phase, Prediction, Task
from rnnpipe.tasks.caption_data import make_caption_recipe, open_captions
from rnnpipe.tasks.captioning.config import BackboneEncoder, CaptioningConfig, FeaturesEncoder
from rnnpipe.tasks.inputs import Input, integer
from rnnpipe.text.tokenizer import MODEL_FILE, SETTINGS_FILE, Tokenizer

if TYPE_CHECKING:
    import keras

    from rnnpipe.inputs.augmentation import Augmentation
    from rnnpipe.sources.source import Source
    from rnnpipe.tasks.captioning.search import CaptionSearch
    from rnnpipe.tasks.captioning.validation import CaptionScores
    from rnnpipe.transforms.recipes.base import Recipe


class CaptioningTask(Task[CaptioningConfig]):
    """Captions of images.

    Args:
        config: the run's config.
    """

    name = "captioning"
    extras = ("captions",)
    main_metric = "bleu_4"
    inputs = (
        Input("image", "an image file", metavar="FILE"),
        Input("n-best", "captions, at most the beam width", integer(1), None, "N"),
    )
    vocabulary = (MODEL_FILE, SETTINGS_FILE)

    def open_source(self) -> Source:
        """Images with captions."""
        return open_captions(self.config.data.source)

    def make_recipe(self) -> Recipe:
        """Records of an image each, with all of its captions."""
        return make_caption_recipe(self.config.data)

    def check_model(self) -> None:
        """Looks for the file of the backbone's weights.

        Raises:
            UserError: it is not there.
        """
        weights = getattr(self.config.model.image_encoder, "weights", None)
        if isinstance(weights, Path) and not weights.is_file():
            got, fix = "nothing there", "name a file that Keras saved, imagenet or none"
            raise UserError("model.image_encoder.weights", f"a file {weights}", got, fix)

    def build_model(self, records: RecordsDirectory) -> keras.Model:
        """The captioner, with logits and alignments as outputs."""
        from rnnpipe.models.captioner import build_captioner  # brings in Keras

        decoder = self.config.model.decoder
        options = decoder.model_dump(include={"attention_units", "expected_share"})
        return build_captioner(
            self._build_encoder(records),
            kind=decoder.kind,
            vocab=Tokenizer.load(records.path).vocabulary_size,
            embedding=decoder.embedding,
            units=decoder.units,
            dropout=decoder.dropout,
            **options,
        )

    def wrap_model(self, model: keras.Model) -> keras.Model:
        """The model with the terms that its attention adds to the loss."""
        from rnnpipe.training.captions import CaptionTrainer

        options = self.config.model.decoder.model_dump(
            include={"doubly_stochastic", "reward_weight", "entropy_weight"}
        )
        return CaptionTrainer(model, **options)

    def compile_options(self, model: keras.Model) -> dict[str, Any]:
        """The smoothed cross-entropy of tokens, and their perplexity."""
        from rnnpipe.training.token_targets import Perplexity, TokenCrossEntropy

        del model
        loss = TokenCrossEntropy(self.config.train.label_smoothing)
        return {"loss": loss, "metrics": [Perplexity()]}

    def make_callbacks(
        self, trainer: keras.Model, model: keras.Model, records: RecordsDirectory, weights: Path
    ) -> Sequence[keras.callbacks.Callback]:
        """Scores of the captions of the validation split, and the mean of the best epochs."""
        from rnnpipe.tasks.validation import validation_callbacks

        keep, scores = self.config.train.keep_best, self._scores(trainer, model, records)
        mode = self.monitor()[1]
        return validation_callbacks(
            scores, metric=keep.metric, average=keep.average, mode=mode, weights=weights
        )

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
            image_field=self._image_field,
            image_shape=self._image_shape(records),
            batch_size=settings.batch_size,
            shuffle_seed=self.config.seed,
            augmentation=self._augmentation,
        )
        yield make_phase(
            model,
            records,
            batches,
            settings,
            max_length=self.config.evaluate.beam.max_length,
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
            image_field=self._image_field,
            image_shape=self._image_shape(records),
            batch_size=self.batch_size(shuffle_seed),
            captions="all" if shuffle_seed is None else self.config.train.captions,
            shuffle_seed=shuffle_seed,
            augmentation=self._augmentation,
        )

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

        beam = self.config.evaluate.beam
        search = self._search(model, width=beam.width, n_best=beam.n_best)
        hypotheses = search(self._make_images(records, split))
        perplexity = measure_perplexity(model, self.make_batches(records, split))
        java_metrics = self.config.evaluate.java_metrics
        return evaluate(records, split, hypotheses, perplexity, java_metrics)

    def predict(self, model: keras.Model, folder: Path, inputs: Mapping[str, Any]) -> Prediction:
        """The likeliest captions of an image, and the attention at each word.

        Raises:
            UserError: the image cannot be read, or `n-best` exceeds the beam.
        """
        from rnnpipe.tasks.beam_decoder import check_n_best
        from rnnpipe.tasks.captioning.prediction import caption_photo

        beam = self.config.evaluate.beam
        n_best = check_n_best(inputs["n-best"], beam.width, beam.n_best)
        search = self._search(model, width=beam.width, n_best=n_best)
        return caption_photo(search, Tokenizer.load(folder), inputs["image"], self.config.data)

    @property
    def _augmentation(self) -> Augmentation:
        from rnnpipe.inputs.augmentation import Augmentation  # brings in TensorFlow

        return Augmentation(**self.config.train.augment.model_dump())

    @property
    def _image_field(self) -> str:
        """What the model sees of a record."""
        features = isinstance(self.config.model.image_encoder, FeaturesEncoder)
        return "image_features" if features else "image_jpeg"

    def _image_shape(self, records: RecordsDirectory) -> tuple[int, ...]:
        """Of what the model sees."""
        size = self.config.data.image.size
        if self._image_field == "image_jpeg":
            return size, size, 3
        first = next(iter(records.read("train", ["image_features"])))
        return tuple(first["image_features"].shape)

    def _build_encoder(self, records: RecordsDirectory) -> keras.Model:
        from rnnpipe.models import image_encoders

        encoder, size = self.config.model.image_encoder, self.config.data.image.size
        options = encoder.model_dump(exclude={"kind"})
        if isinstance(encoder, FeaturesEncoder):
            return image_encoders.build_feature_encoder(self._image_shape(records), **options)
        if not isinstance(encoder, BackboneEncoder):
            return image_encoders.build_cnn(size, **options)
        options |= {"weights": None if encoder.weights == "none" else encoder.weights}
        return image_encoders.build_backbone(size, options.pop("name"), **options)

    def _make_images(self, records: RecordsDirectory, split: str) -> Any:
        from rnnpipe.tasks.captioning.batches import make_image_batches

        size = self.config.evaluate.batch_size
        return make_image_batches(records, split, image_field=self._image_field, batch_size=size)

    def _scores(
        self, trainer: keras.Model, model: keras.Model, records: RecordsDirectory
    ) -> CaptionScores:
        from rnnpipe.tasks.captioning.validation import CaptionScores

        return CaptionScores(
            self._search(model, width=1, n_best=1),
            records,
            self._make_images(records, "validation"),
            trainer,
            self.make_batches(records, "validation"),
        )

    def _search(self, model: keras.Model, *, width: int, n_best: int) -> CaptionSearch:
        from rnnpipe.tasks.beam_decoder import BeamDecoder
        from rnnpipe.tasks.captioning.search import CaptionSearch

        beam = self.config.evaluate.beam
        return CaptionSearch(
            model,
            BeamDecoder(
                width=width,
                n_best=n_best,
                length_penalty=beam.length_penalty,
                max_length=beam.max_length,
            ),
        )
