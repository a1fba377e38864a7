"""What the config of a language model has: what comes next in a text, by character or by word."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rnnpipe.config.schema.base import (
    Data,
    Evaluate,
    FilePath,
    Fraction,
    HeldOut,
    KeepBest,
    RunConfig,
    Section,
    Source,
    Train,
)
from rnnpipe.config.schema.recurrence import Recurrence
from rnnpipe.errors import UserError


class PythonTopicsSource(Source):
    """The chapters of Python's language reference, as the Python that runs carries them."""

    kind: Literal["python_topics"]
    path: FilePath | None = Field(None, description="where they are written; default: the cache")


class TextStreamSource(Source):
    """A text file, or a folder of files that end in .txt or .tokens."""

    kind: Literal["text"]
    path: FilePath = Field(description="the file or folder")
    begin: str | None = Field(
        None,
        description="a regular expression for the lines with which a document begins, e.g. "
        "'^ = [^=]+ = $'; default: each file is a document",
    )
    encoding: str = Field("utf-8", description="of the files, e.g. iso-8859-1")


StreamSource = Annotated[PythonTopicsSource | TextStreamSource, Field(discriminator="kind")]


class Splits(HeldOut):
    """Shares held out where the files' names tell no split: documents, or a single one's end."""

    test: Fraction = Field(0.1, description="0 for none")


class StreamData(Data):
    """A long text and what is made of it."""

    source: StreamSource
    symbols: Literal["char", "word"] = Field("char", description="what the model predicts")
    vocabulary: int = Field(256, ge=5, description="symbols at most, four special ones included")
    splits: Splits = Splits()


class LanguageModel(Section):
    """An embedding, recurrent layers and a softmax over what comes next."""

    embedding: int = Field(128, ge=1)
    embedding_dropout: Fraction = 0.0
    recurrence: Recurrence = Recurrence()
    output_dropout: Fraction = 0.0
    tie_weights: bool = Field(False, description="whether the softmax uses the embedding")


class LanguageModelKeepBest(KeepBest):
    """Which epoch's weights are kept: those of the least of the metric on the validation split."""

    metric: Literal["loss", "bits_per_char", "perplexity"] = Field(
        "loss", description="bits_per_char of characters, perplexity of words"
    )


class LanguageModelTrain(Train):
    """Truncated backpropagation through time."""

    batch_size: int = Field(32, ge=1, description="texts that are read side by side")
    bptt_length: int = Field(128, ge=1, description="tokens through which the gradient flows back")
    keep_best: LanguageModelKeepBest = LanguageModelKeepBest()


class LanguageModelEvaluate(Evaluate):
    """How the text is read for scores."""

    batch_size: int = Field(8, ge=1, description="rows; each begins without what came before")


class LanguageModelConfig(RunConfig):
    """A language model of characters or words."""

    task: Literal["language_model"]
    data: StreamData
    model: LanguageModel = LanguageModel()
    train: LanguageModelTrain = LanguageModelTrain()
    evaluate: LanguageModelEvaluate = LanguageModelEvaluate()

    @model_validator(mode="after")
    def _check(self) -> "LanguageModelConfig":
        metric, symbols = self.train.keep_best.metric, self.data.symbols
        fitting = {"char": "bits_per_char", "word": "perplexity"}[symbols]
        if metric not in ("loss", fitting):
            expected = f"loss or {fitting} with the symbols {symbols}"
            raise UserError("train.keep_best.metric", expected, metric, f"write {fitting}")
        return self
