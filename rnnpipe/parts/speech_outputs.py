"""What a speech recognizer makes of the states of its encoder."""

from typing import ClassVar, Literal

from rnnpipe.errors import UserError, located
from rnnpipe.parts.attention import LocationAttentionOptions
from rnnpipe.parts.cells import LSTMOptions
from rnnpipe.parts.decoder import DecoderOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.settings import Kinds, Settings, setting

_HERE = "rnnpipe.parts.speech_outputs"


class SpeechOutputOptions(Settings):
    """How the states of all steps become a text."""

    kinds = Kinds(
        "rnnpipe.speech_outputs",
        {
            "ctc": f"{_HERE}:CTCOutputOptions",
            "attention": f"{_HERE}:AttentionOutputOptions",
            "joint": f"{_HERE}:JointOutputOptions",
        },
    )
    kind: str
    has_ctc: ClassVar[bool] = True
    """Whether each step has a token or a blank."""
    has_decoder: ClassVar[bool] = False
    """Whether a decoder writes token after token."""

    @property
    def loss_weights(self) -> dict[str, float]:
        """The weight of the loss of each output of the model."""
        return {"ctc": 1.0}


class CTCOutputOptions(SpeechOutputOptions):
    """A token or a blank at each step (Graves et al. 2006)."""

    kind: Literal["ctc"] = "ctc"


class _DecoderOutputOptions(SpeechOutputOptions):
    has_decoder = True

    embedding: EmbeddingOptions = EmbeddingOptions(size=64)
    decoder: DecoderOptions = DecoderOptions(
        cell=LSTMOptions(units=256),
        attention=LocationAttentionOptions(units=128, filters=16, kernel_size=15),
    )

    def check(self) -> None:
        """A decoder reads speech through attention, and texts have no word vectors."""
        with located("embedding"):
            self.embedding.require_default("vectors", "of texts of speech")
        if self.decoder.attention is None:
            raise UserError(
                "decoder.attention", "a mechanism", "null", "write e.g. {kind: location}"
            )


class AttentionOutputOptions(_DecoderOutputOptions):
    """A decoder that attends to the steps (Chorowski et al. 2015)."""

    kind: Literal["attention"] = "attention"
    has_ctc = False

    @property
    def loss_weights(self) -> dict[str, float]:
        """Of its tokens alone."""
        return {"logits": 1.0}


class JointOutputOptions(_DecoderOutputOptions):
    """Both, trained together (Watanabe et al. 2017)."""

    kind: Literal["joint"] = "joint"
    ctc_weight: float = setting(
        0.3, "λ of the loss λ CTC + (1 − λ) attention, in training", gt=0, lt=1
    )

    @property
    def loss_weights(self) -> dict[str, float]:
        """λ and 1 − λ."""
        return {"ctc": self.ctc_weight, "logits": 1 - self.ctc_weight}
