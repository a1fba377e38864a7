"""What the config of a language model has: the next token of a text, by character or by word."""

from typing import Literal

from rnnpipe.errors import UserError
from rnnpipe.models.language_model import LanguageModelOptions
from rnnpipe.parts.search import SamplingOptions
from rnnpipe.settings import setting
from rnnpipe.tasks.run_config import Evaluate, KeepBest, RunConfig, Train
from rnnpipe.tasks.word_vectors import check_embedding
from rnnpipe.transforms.recipes.text_stream import StreamData


class LanguageModelKeepBest(KeepBest):
    """Which epoch's weights are kept: those of the least of the metric on the validation split."""

    metric: Literal["loss", "bits_per_char", "perplexity"] = setting(
        "loss", "bits_per_char of characters, perplexity of words and tokens"
    )


class LanguageModelTrain(Train):
    """Truncated backpropagation through time."""

    bptt_length: int = setting(128, "tokens through which the gradient flows back", ge=1)
    keep_best: LanguageModelKeepBest = LanguageModelKeepBest()


class LanguageModelConfig(RunConfig):
    """A language model of characters or words."""

    task: Literal["language_model"]
    data: StreamData
    model: LanguageModelOptions = LanguageModelOptions()
    # A row of training is a place in the text that is read in parallel to the others; a row of
    # evaluation starts without the text before it, so that there are few.
    train: LanguageModelTrain = LanguageModelTrain(batch_size=32)
    evaluate: Evaluate = Evaluate(batch_size=8)
    sampling: SamplingOptions = setting(
        SamplingOptions(temperature=0.8), "how `predict` draws text where its options do not say"
    )

    def check(self) -> None:
        """The metric is one of the symbols, and embedding and tied weights fit."""
        check_embedding(self.model.embedding, None, type(self).model.embedding)
        metric, kind = self.train.keep_best.metric, self.data.kind
        fitting = "bits_per_char" if kind == "char" else "perplexity"
        if metric not in ("loss", fitting):
            expected = f"loss or {fitting} with the symbols {kind}"
            raise UserError("train.keep_best.metric", expected, metric, f"write {fitting}")
        size, units = self.model.embedding.size, self.model.recurrence.cell.output_size
        if self.model.tie_weights and size != units:
            expected = f"{units} with tie_weights, as wide as the cell's output"
            fix = "make them equal, or write tie_weights: false"
            raise UserError("model.embedding.size", expected, str(size), fix)
