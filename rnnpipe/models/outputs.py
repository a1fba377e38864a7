"""What models return: logits, and what there is beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def take_logits(model: keras.Model) -> keras.Model:
    """The same model with the logits as its only output."""
    import keras

    return keras.Model(model.input, model.output["logits"], name=model.name)


def name_alignments(alignments: Any) -> dict[str, Any]:
    """The alignments of a mechanism, by the names of a model's outputs.

    Args:
        alignments: a tensor, or hard attention's `samples` and `probabilities`.

    Returns:
        `alignments`; of hard attention its samples, and `probabilities` beside them.
    """
    if not isinstance(alignments, dict):
        return {"alignments": alignments}
    return {"alignments": alignments["samples"], "probabilities": alignments["probabilities"]}


def first_glimpse(outputs: dict[str, Any]) -> dict[str, Any]:
    """Alignments `(batch, time, glimpses, ...positions)` of the first glimpse alone."""
    return {name: value[:, :, 0] for name, value in outputs.items()}
