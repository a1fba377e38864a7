"""The decoders of captioning's papers, as a config writes them."""

from typing import Any

from rnnpipe.config.loader import load_settings
from rnnpipe.models.captioner import CaptionerOptions

UNITS, ATTENTION_UNITS = 6, 7


def make_decoders(
    units: int = UNITS, attention_units: int = ATTENTION_UNITS, expected_share: float = 0.5
) -> dict[str, dict[str, Any]]:
    """The settings of each paper's decoder, of these sizes."""
    additive = {"kind": "additive", "units": attention_units}
    hard = {"kind": "hard", "mechanism": additive, "expected_share": expected_share}
    lstm = {"kind": "lstm", "units": units}
    state = {"attention": additive, "output": "state", "bridge": "zeros"}
    return {
        "show_and_tell": {"cell": lstm, "attention": None},
        "soft": {"cell": lstm, "attention": {"kind": "gated", "mechanism": additive}},
        "hard": {"cell": lstm, "attention": {"kind": "gated", "mechanism": hard}},
        "att2in": {"cell": {"kind": "att2in", "units": units}, **state},
        "top_down": {"cell": lstm, "depth": 2, "architecture": "top_down", **state},
    }


DECODERS = make_decoders()


def caption_options(
    name: str,
    image_encoder: dict[str, Any],
    *,
    embedding: int = 5,
    dropout: float = 0.0,
    **sizes: Any,
) -> CaptionerOptions:
    """The settings of a tiny captioner of a paper.

    Args:
        name: of the decoder.
        image_encoder: the settings of the encoder.
        embedding: its size.
        dropout: of the decoder.
        **sizes: those of `make_decoders`.
    """
    settings = {
        "image_encoder": image_encoder,
        "embedding": {"size": embedding},
        "decoder": {**make_decoders(**sizes)[name], "dropout": dropout},
    }
    return load_settings(CaptionerOptions, settings)
