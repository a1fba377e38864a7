"""What the config of a translation run has."""

from typing import Literal

from pydantic import Field, model_validator

from rnnpipe.config.schema.base import (
    Evaluate,
    Fraction,
    KeepBest,
    RunConfig,
    Section,
    Train,
)
from rnnpipe.config.schema.beam import Beam
from rnnpipe.config.schema.text import TextPairData
from rnnpipe.errors import UserError


class Embedding(Section):
    """The vectors that tokens become."""

    size: int = Field(256, ge=1)
    share: bool = Field(True, description="one embedding for both languages: a joint vocabulary")
    dropout: Fraction = Field(
        0.0, description="features of a source sentence dropped at all of its tokens alike"
    )
    word_dropout: Fraction = Field(0.0, description="tokens hidden in training, of both sides")


class Encoder(Section):
    """What reads the source, forwards and backwards."""

    kind: Literal["gru", "lstm"] = "gru"
    units: int = Field(256, ge=1, description="of each direction")
    depth: int = Field(1, ge=1)
    dropout: Fraction = Field(0.0, description="between layers, and of what attention reads")


class Attention(Section):
    """How the decoder finds its place in the source."""

    kind: Literal["additive"] = "additive"
    units: int = Field(512, ge=1)


class Decoder(Section):
    """What writes the target."""

    kind: Literal["gru", "lstm"] = "gru"
    units: int = Field(512, ge=1)
    depth: int = Field(1, ge=1)
    dropout: Fraction = Field(0.0, description="of the target's embeddings and of the readout")
    input_feeding: bool = Field(True, description="whether it reads what it read out last")
    output: Literal["tanh", "deep", "maxout", "plain"] = Field(
        "tanh", description="the readout between the decoder's state and the logits"
    )
    tie_weights: bool = Field(True, description="whether the logits use the target's embedding")


class TranslationModel(Section):
    """A recurrent encoder and decoder with attention."""

    embedding: Embedding = Embedding()
    encoder: Encoder = Encoder()
    attention: Attention = Attention()
    decoder: Decoder = Decoder()


class TranslationKeepBest(KeepBest):
    """Which epoch's weights are kept, and when training stops early."""

    metric: Literal["bleu", "chrf", "exact", "perplexity", "loss"] = Field(
        "bleu", description="of the validation split, which is decoded greedily after each epoch"
    )
    average: int = Field(
        1, ge=1, description="mean of the weights of this many best epochs, kept if it is better"
    )


class TranslationTrain(Train):
    """How the model is trained."""

    batch_tokens: int | None = Field(
        None,
        ge=1,
        description="target tokens of a batch at most, padding included; then batch_size says "
        "nothing, and a batch has more sentences the shorter they are",
    )
    label_smoothing: Fraction = Field(0.1, description="probability spread over all tokens")
    keep_best: TranslationKeepBest = TranslationKeepBest()


class TranslationBeam(Beam):
    """How translations are searched for."""

    max_ratio: float | None = Field(
        2.0,
        gt=0,
        description="a translation has at most ten tokens more than so many times its source's; "
        "null: only max_length bounds it",
    )


class TranslationEvaluate(Evaluate):
    """What is scored at the end."""

    batch_size: int = Field(64, ge=1, description="sentences decoded together")
    beam: TranslationBeam = TranslationBeam()
    lowercase: bool = Field(
        False, description="whether case counts for nothing, as with sacreBLEU's -lc"
    )
    unseen_lengths: Literal["together", "apart"] = Field(
        "together",
        description="whether sources longer than all of training count in the main scores, or have "
        "scores of their own only",
    )


class TranslationConfig(RunConfig):
    """A run of translation."""

    task: Literal["translation"]
    data: TextPairData
    model: TranslationModel = TranslationModel()
    train: TranslationTrain = TranslationTrain()
    evaluate: TranslationEvaluate = TranslationEvaluate()

    @model_validator(mode="after")
    def _check(self) -> "TranslationConfig":
        text, beam = self.data.text, self.evaluate.beam
        if self.model.embedding.share and not text.joint:
            # Their sizes alone would not tell: two vocabularies often have as many tokens.
            expected = "false with data.text.joint false, as each language has its own vocabulary"
            fix = "write false, or set data.text.joint to true"
            raise UserError("model.embedding.share", expected, "true", fix)
        if text.max_tokens > beam.max_length and "max_length" not in beam.model_fields_set:
            # Who writes a lower one wants shorter translations; nobody wants them unasked.
            expected = f"at least data.text.max_tokens, {text.max_tokens}"
            got, fix = f"{beam.max_length}, its default", f"write e.g. {text.max_tokens}"
            raise UserError("evaluate.beam.max_length", expected, got, fix)
        return self
