"""The config of a captioning run."""

from typing import Literal

from rnnpipe.errors import UserError
from rnnpipe.inputs.augmentation import AugmentationOptions
from rnnpipe.models.captioner import CaptionerOptions
from rnnpipe.parts.attention_wrappers import ReinforceOptions, is_hard
from rnnpipe.parts.optimizers import AdamOptions, OptimizerOptions
from rnnpipe.parts.schedules import PlateauScheduleOptions
from rnnpipe.parts.search import BeamSearchOptions
from rnnpipe.settings import Settings, fraction, setting
from rnnpipe.tasks.image_encoders import check_encoder
from rnnpipe.tasks.run_config import Evaluate, KeepBest, RunConfig, Train
from rnnpipe.tasks.word_vectors import check_embedding
from rnnpipe.transforms.recipes.captions import CaptionData


class CaptioningKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["bleu_4", "rouge_l", "cider", "cider_d", "perplexity", "loss"] = setting(
        "cider_d", "of the validation split, which is captioned greedily after each epoch"
    )
    average: int = setting(
        1, "mean of the weights of this many best epochs, kept if it is better", ge=1
    )


class SelfCritical(Settings):
    """A second phase that trains on CIDEr-D itself (Rennie et al. 2017)."""

    epochs: int = setting(10, "at most", ge=1)
    batch_size: int = setting(64, "images of a batch", ge=1)
    optimizer: OptimizerOptions = AdamOptions(learning_rate=5e-5)
    samples: int = setting(1, "captions drawn of each image", ge=1)
    baseline: Literal["greedy", "samples"] = setting(
        "greedy",
        "what a drawn caption is compared with: the greedy one, or the mean of the others drawn of "
        "the image",
    )
    patience: int = setting(5, "epochs without a better one before it stops", ge=1)

    def check(self) -> None:
        """A mean of others takes others; a plateau's callback would watch the other phase."""
        if self.baseline == "samples" and self.samples < 2:
            expected, got = "at least 2 with the baseline samples", str(self.samples)
            raise UserError("samples", expected, got, "write e.g. 5, or take the baseline greedy")
        if isinstance(self.optimizer.schedule, PlateauScheduleOptions):
            expected, fix = "another kind than plateau in this phase", "write e.g. cosine"
            raise UserError("optimizer.schedule.kind", expected, "plateau", fix)


class CaptioningTrain(Train):
    """How the model is trained."""

    batch_size: int = setting(64, "images of a batch", ge=1)
    captions: Literal["one", "all"] = setting(
        "one", "of each image and epoch: one of its captions, drawn anew, or all"
    )
    augment: AugmentationOptions = AugmentationOptions()
    label_smoothing: float = fraction(help="probability spread over all tokens")
    doubly_stochastic: float = setting(
        0.0,
        "weight of the penalty on cells that get too little or too much of soft attention; the "
        "paper's is 1 (Xu 2015)",
        ge=0,
    )
    reinforce: ReinforceOptions | None = setting(
        None, "how hard attention is trained; null: by the defaults of these settings"
    )
    keep_best: CaptioningKeepBest = CaptioningKeepBest()
    self_critical: SelfCritical | None = setting(None, "a second phase; null: none")


class CaptioningEvaluate(Evaluate):
    """What is scored at the end."""

    search: BeamSearchOptions = BeamSearchOptions(
        beam_width=3, length_penalty=0.0, n_best=3, max_length=20
    )
    java_metrics: tuple[Literal["meteor", "spice"], ...] = setting(
        (), "scores that need Java; where they cannot be had, a notice says why"
    )

    def check(self) -> None:
        """Nothing is scored twice."""
        super().check()
        self.require_unique("java_metrics")


class CaptioningConfig(RunConfig):
    """A run of image captioning."""

    task: Literal["captioning"]
    data: CaptionData
    model: CaptionerOptions = CaptionerOptions()
    train: CaptioningTrain = CaptioningTrain()
    evaluate: CaptioningEvaluate = CaptioningEvaluate(batch_size=64)

    def check(self) -> None:
        """The model reads what the records hold; training and search fit the attention."""
        check_encoder(self.model.image_encoder, self.data.features, self.train.augment)
        default, vectors = type(self).model.embedding, self.data.caption.vectors
        check_embedding(self.model.embedding, vectors, default, is_decoder=True)
        attention, search = self.model.decoder.attention, self.evaluate.search
        if self.train.reinforce is not None and not is_hard(attention):
            raise UserError(
                "train.reinforce", "null without hard attention", "settings", "remove it"
            )
        if self.train.doubly_stochastic and (attention is None or is_hard(attention)):
            got, fix = str(self.train.doubly_stochastic), "remove it, or take soft attention"
            raise UserError("train.doubly_stochastic", "0 without soft attention", got, fix)
        if search.coverage_penalty and attention is None:
            where, got = "evaluate.search.coverage_penalty", str(search.coverage_penalty)
            raise UserError(where, "0 without attention", got, "remove it")
        if (least := search.constraints.min_length) > search.max_length:
            expected = f"at most max_length, {search.max_length}"
            where = "evaluate.search.constraints.min_length"
            raise UserError(where, expected, str(least), "lower it, or raise max_length")
