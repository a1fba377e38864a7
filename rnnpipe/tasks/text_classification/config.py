"""What the config of a sentiment run has: texts with classes of any kind."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rnnpipe.config.schema.base import Fraction, KeepBest, RunConfig, Section, Train
from rnnpipe.config.schema.text import TextClassData
from rnnpipe.errors import UserError


class Embedding(Section):
    """The vectors that tokens become."""

    size: int = Field(128, ge=1)
    scale: float = Field(0.1, gt=0, description="their standard deviation before training")
    dropout: Fraction = Field(0.0, description="numbers of the vectors dropped in training")
    word_dropout: Fraction = Field(0.0, description="tokens hidden in training")


class Encoder(Section):
    """The recurrent layers that read the text."""

    kind: Literal["lstm", "gru", "vanilla"] = "lstm"
    units: int = Field(128, ge=1, description="of each direction")
    depth: int = Field(1, ge=1, description="layers on top of each other")
    bidirectional: bool = True
    connection: Literal["residual", "highway"] | None = Field(
        None, description="how a layer's input joins its output; null: not at all"
    )
    dropout: Fraction = Field(0.0, description="between layers")


class LastPooling(Section):
    """The last state."""

    kind: Literal["last"]


class Pooling(Section):
    """The states of all steps as one vector."""

    words: bool = Field(
        False, description="whether words' embeddings are pooled beside their states"
    )


class PlainPooling(Pooling):
    """The mean or the maximum of the states of all steps."""

    kind: Literal["mean", "max"]


class AttentionPooling(Pooling):
    """A weighted mean of the states of all steps; the weights are learned (Yang et al. 2016)."""

    kind: Literal["attention"]
    units: int = Field(64, ge=1, description="of the layer that scores the steps")
    glimpses: int = Field(1, ge=1, description="weighted means, each with weights of its own")
    dropout: Fraction = 0.0


class Classifier(Section):
    """The layers after pooling."""

    units: int = Field(0, ge=0, description="of a hidden layer; 0: there is none")
    dropout: Fraction = Field(0.0, description="of what each of its layers reads")


class TextClassifierModel(Section):
    """Embeddings, recurrent layers, pooling over time, a softmax over the classes."""

    embedding: Embedding = Embedding()
    encoder: Encoder = Encoder()
    pooling: Annotated[
        LastPooling | PlainPooling | AttentionPooling, Field(discriminator="kind")
    ] = AttentionPooling(kind="attention")
    classifier: Classifier = Classifier()

    @model_validator(mode="after")
    def _can_connect(self) -> "TextClassifierModel":
        if self.encoder.connection and self.encoder.depth > 1 and self.pooling.kind == "last":
            raise UserError(
                "pooling.kind",
                f"mean, max or attention, with encoder.connection {self.encoder.connection}",
                "last",
                "choose one of those, or set encoder.connection to null",
            )
        return self


class TextClassificationKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["accuracy", "loss"] = "accuracy"


class TextClassificationTrain(Train):
    """How the model is trained."""

    label_smoothing: Fraction = Field(0.0, description="probability spread over all classes")
    r_drop: float = Field(
        0.0,
        ge=0,
        description="weight α of R-Drop (Liang et al. 2021), a consistency loss between two passes "
        "with different dropout; 0: one pass",
    )
    ensemble_size: int = Field(
        1,
        ge=1,
        le=99,
        description="classifiers trained one after the other, each from other first weights; the "
        "answer is the mean of their probabilities",
    )
    keep_best: TextClassificationKeepBest = TextClassificationKeepBest()


class TextClassificationConfig(RunConfig):
    """A run of sentiment analysis, or of any other classification of texts."""

    task: Literal["text_classification"]
    data: TextClassData
    model: TextClassifierModel = TextClassifierModel()
    train: TextClassificationTrain = TextClassificationTrain()

    @model_validator(mode="after")
    def _r_drop_has_dropout(self) -> "TextClassificationConfig":
        model = self.model
        rates = [model.embedding.dropout, model.embedding.word_dropout]
        rates += [model.encoder.dropout, model.classifier.dropout]
        if isinstance(model.pooling, AttentionPooling):
            rates.append(model.pooling.dropout)
        if self.train.r_drop and not any(rates):
            raise UserError(
                "train.r_drop",
                "a model with dropout, which it makes agree with itself",
                "one without any",
                "set model.embedding.dropout or model.classifier.dropout, or r_drop to 0",
            )
        return self
