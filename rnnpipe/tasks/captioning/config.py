"""What the config of a captioning run has."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rnnpipe.config.schema.augmentation import Augmentation, check_unchanged
from rnnpipe.config.schema.base import (
    Evaluate,
    FilePath,
    Fraction,
    KeepBest,
    RunConfig,
    Section,
    Train,
)
from rnnpipe.config.schema.beam import Beam
from rnnpipe.config.schema.caption_data import CaptionData
from rnnpipe.config.schema.features import check_encoder
from rnnpipe.config.schema.images import CnnEncoder
from rnnpipe.errors import UserError
from rnnpipe.parts.optimizers import AdamOptions, OptimizerOptions, PlateauScheduleOptions

_BACKBONE_SIZE = 32  # pixels: the least that keras.applications' networks take


class BackboneEncoder(Section):
    """A network of `keras.applications` without its head."""

    kind: Literal["backbone"]
    name: Literal["resnet50", "resnet101", "mobilenet_v2", "efficientnet_b0"] = "resnet50"
    weights: Literal["imagenet", "none"] | FilePath = Field(
        "imagenet", description="`imagenet` downloads them; or a file that Keras saved; or `none`"
    )
    fine_tune: bool = Field(False, description="whether it learns, or stays as it is")
    dropout: Fraction = 0.0


class FeaturesEncoder(Section):
    """Grids of features in the records, computed by the backbone of `data.features`."""

    kind: Literal["features"]
    units: int | None = Field(512, ge=1, description="what each cell is projected to; null: none")
    dropout: Fraction = 0.0


ImageEncoder = Annotated[
    CnnEncoder | BackboneEncoder | FeaturesEncoder, Field(discriminator="kind")
]


class Decoder(Section):
    """What writes a caption, word by word."""

    embedding: int = Field(256, ge=1)
    units: int = Field(512, ge=1, description="of each LSTM")
    dropout: Fraction = Field(0.0, description="of the words' features and of the readout's")


class NicDecoder(Decoder):
    """Show and Tell (Vinyals 2015): the image is the first word; no attention."""

    kind: Literal["nic"]


class AttendingDecoder(Decoder):
    """Attention over the grid of the image at every word."""

    attention_units: int = Field(512, ge=1)
    doubly_stochastic: float = Field(
        0.0, ge=0, description="weight of the doubly stochastic penalty"
    )


class SoftDecoder(AttendingDecoder):
    """Show, Attend and Tell (Xu 2015) with soft attention."""

    kind: Literal["soft"]
    doubly_stochastic: float = Field(
        1.0, ge=0, description="weight of the doubly stochastic penalty"
    )


class HardDecoder(Decoder):
    """Show, Attend and Tell (Xu 2015) with hard attention, trained by REINFORCE."""

    kind: Literal["hard"]
    attention_units: int = Field(512, ge=1)
    expected_share: float = Field(
        0.5, ge=0, le=1, description="how often in training it takes its mean place, not a sample"
    )
    reward_weight: float = Field(1.0, ge=0)
    entropy_weight: float = Field(0.01, ge=0)


class Att2InDecoder(AttendingDecoder):
    """Att2in (Rennie 2017): what attention finds goes into the LSTM's cell, past its gates."""

    kind: Literal["att2in"]


class TopDownDecoder(AttendingDecoder):
    """Top-down attention (Anderson 2018): one LSTM for attention, one for language."""

    kind: Literal["top_down"]


AnyDecoder = Annotated[
    NicDecoder | SoftDecoder | HardDecoder | Att2InDecoder | TopDownDecoder,
    Field(discriminator="kind"),
]


class CaptioningModel(Section):
    """An image encoder and a decoder of words."""

    image_encoder: ImageEncoder = CnnEncoder(kind="cnn")
    decoder: AnyDecoder = SoftDecoder(kind="soft")


class CaptioningKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["bleu_4", "rouge_l", "cider", "cider_d", "perplexity", "loss"] = Field(
        "cider_d", description="of the validation split, which is captioned greedily each epoch"
    )
    average: int = Field(
        1, ge=1, description="mean of the weights of this many best epochs, kept if it is better"
    )


class SelfCritical(Section):
    """A second phase that trains on CIDEr-D itself (Rennie 2017)."""

    epochs: int = Field(10, ge=1)
    batch_size: int = Field(64, ge=1, description="images of a batch")
    optimizer: OptimizerOptions = AdamOptions(learning_rate=5e-5)
    samples: int = Field(1, ge=1, description="captions drawn of each image")
    baseline: Literal["greedy", "samples"] = Field(
        "greedy",
        description="what a drawn caption is compared with: the greedy one, or the mean of the "
        "others drawn of the image",
    )
    patience: int = Field(5, ge=1, description="epochs without a better one before it stops")

    @model_validator(mode="after")
    def _check(self) -> "SelfCritical":
        if self.baseline == "samples" and self.samples < 2:
            expected, got = "at least 2 with the baseline samples", str(self.samples)
            raise UserError("samples", expected, got, "write e.g. 5, or take the baseline greedy")
        if isinstance(self.optimizer.schedule, PlateauScheduleOptions):
            expected, fix = "another kind than plateau in this phase", "write e.g. cosine"
            raise UserError("optimizer.schedule.kind", expected, "plateau", fix)
        return self


class CaptioningTrain(Train):
    """How the model is trained."""

    batch_size: int = Field(64, ge=1, description="images of a batch")
    captions: Literal["one", "all"] = Field(
        "one", description="of each image and epoch: one of its captions, drawn anew, or all"
    )
    augment: Augmentation = Augmentation()
    label_smoothing: Fraction = Field(0.0, description="probability spread over all tokens")
    keep_best: CaptioningKeepBest = CaptioningKeepBest()
    self_critical: SelfCritical | None = Field(None, description="a second phase; null: none")


class CaptioningEvaluate(Evaluate):
    """What is scored at the end."""

    batch_size: int = Field(64, ge=1, description="images captioned together")
    beam: Beam = Beam(width=3, length_penalty=0.0, n_best=3, max_length=20)
    java_metrics: list[Literal["meteor", "spice"]] = Field(
        [], description="metrics that need Java; a notice explains why one is missing"
    )


class CaptioningConfig(RunConfig):
    """A run of image captioning."""

    task: Literal["captioning"]
    data: CaptionData
    model: CaptioningModel = CaptioningModel()
    train: CaptioningTrain = CaptioningTrain()
    evaluate: CaptioningEvaluate = CaptioningEvaluate()

    @model_validator(mode="after")
    def _check(self) -> "CaptioningConfig":
        encoder, size = self.model.image_encoder, self.data.image.size
        check_encoder("model.image_encoder", encoder.kind, self.data.features)
        if isinstance(encoder, BackboneEncoder) and size < _BACKBONE_SIZE:
            expected = f"at least {_BACKBONE_SIZE} for the encoder backbone"
            raise UserError("data.image.size", expected, str(size), "write e.g. 224")
        if self.data.features is not None:
            check_unchanged(self.train.augment)
        return self
