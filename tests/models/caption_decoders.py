"""The decoders of captioning's papers, as a config writes them."""

from rnnpipe.config.loader import load_settings
from rnnpipe.models.captioner import CaptionerOptions

UNITS, ATTENTION_UNITS = 6, 7
_ADDITIVE = {"kind": "additive", "units": ATTENTION_UNITS}
_LSTM = {"kind": "lstm", "units": UNITS}
_STATE_OUTPUT = {"attention": _ADDITIVE, "output": "state", "bridge": "zeros"}

DECODERS = {
    "show_and_tell": {"cell": _LSTM, "attention": None},
    "soft": {"cell": _LSTM, "attention": {"kind": "gated", "mechanism": _ADDITIVE}},
    "hard": {
        "cell": _LSTM,
        "attention": {"kind": "gated", "mechanism": {"kind": "hard", "mechanism": _ADDITIVE}},
    },
    "att2in": {
        "cell": {"kind": "att2in", "units": UNITS},
        "architecture": "bahdanau",
        **_STATE_OUTPUT,
    },
    "top_down": {"cell": _LSTM, "depth": 2, "architecture": "top_down", **_STATE_OUTPUT},
}


def caption_options(name, image_encoder, **decoder):
    """The settings of a tiny captioner of a paper.

    Args:
        name: of the decoder.
        image_encoder: the settings of the encoder.
        **decoder: further settings of the decoder.
    """
    settings = {
        "image_encoder": image_encoder,
        "embedding": {"size": 5},
        "decoder": {**DECODERS[name], **decoder},
    }
    return load_settings(CaptionerOptions, settings)
