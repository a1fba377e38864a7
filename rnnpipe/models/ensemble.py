"""Ensembles: several models as one, whose probabilities are the mean of theirs.

Hansen and Salamon, Neural Network Ensembles, 1990.
"""

import math
from collections.abc import Callable, Sequence
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

    from rnnpipe.decoding import Step


def join_models(models: "Sequence[keras.Model]", logits: Sequence[str]) -> "keras.Model":
    """Several models as one, whose probabilities are the mean of theirs.

        p = 1/K Σₖ pₖ      logits = log p

    Trained apart, from different first weights, they err on different examples.

    Args:
        models: with inputs and logits alike; they may differ in everything else. They get new
            names, by which `find_members` finds them.
        logits: which of their outputs are logits of a softmax.

    Returns:
        A model with their inputs and these outputs, and with `alignments` if the first has some:
        see `mean_alignments`.

    Example:
        >>> from rnnpipe.models.text_classifier import TextClassifierOptions, build_text_classifier
        >>> sizes = {"vocab": 50, "classes": 3}
        >>> options = TextClassifierOptions()
        >>> models = [build_text_classifier(options, **sizes) for _ in range(2)]
        >>> joined = join_models(models, ["logits"])
        >>> {name: value.shape for name, value in joined.output.items()}
        {'logits': (None, 3), 'alignments': (None, 1, None)}
    """
    import keras

    def copy_input(tensor: Any) -> Any:
        return keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name)

    name = models[0].name
    name_members(models)
    inputs = keras.tree.map_structure(copy_input, models[0].input)
    outputs = [model(inputs) for model in models]
    joined = {key: mean_logits([output[key] for output in outputs]) for key in logits}
    if "alignments" in outputs[0]:
        joined["alignments"] = mean_alignments([each.get("alignments", ()) for each in outputs])
    return keras.Model(inputs, joined, name=name)


def name_members(models: "Sequence[keras.Model]") -> None:
    """Names models as the members of an ensemble."""
    for number, model in enumerate(models, start=1):
        model.name = _member_name(number)


def find_members(model: "keras.Model") -> "list[keras.Model]":
    """The models that were joined, in their order; none of a model that is no ensemble."""
    layers = {layer.name: layer for layer in model.layers}
    names = takewhile(layers.__contains__, map(_member_name, count(1)))
    return [layers[name] for name in names]


def _member_name(number: int) -> str:
    return f"member_{number}"


def mean_logits(logits: Sequence[Any]) -> Any:
    """The logarithm of the mean of the models' probabilities: normalised logits, of their shape."""
    from keras import ops

    log_probs = ops.stack([ops.log_softmax(each) for each in logits])
    return ops.logsumexp(log_probs, axis=0) - math.log(len(logits))


def mean_alignments(alignments: Sequence[Any]) -> Any:
    """The mean of the models' alignments where their shapes agree, else those of the first.

    Args:
        alignments: a tensor of each model, or an empty tuple of a model without attention.
    """
    from keras import ops

    first = alignments[0]
    if not all(_have_one_shape(first, each) for each in alignments):
        return first
    return ops.mean(ops.stack(alignments), axis=0)


def _have_one_shape(first: Any, second: Any) -> bool:
    if not (hasattr(first, "shape") and hasattr(second, "shape")):
        return False
    shapes = tuple(first.shape), tuple(second.shape)
    return len(shapes[0]) == len(shapes[1]) and all(
        None in sizes or sizes[0] == sizes[1] for sizes in zip(*shapes, strict=True)
    )


def begin_ensemble(
    begin: "Callable[..., tuple[Step, Any]]",
    members: "Sequence[keras.Model]",
    inputs: Any,
    **options: Any,
) -> "tuple[Step, Any]":
    """The step and first state of an ensemble, as `rnnpipe.decoding` takes them.

    Args:
        begin: from a model and its inputs to a step and its first state, e.g. `begin_translation`.
        members: the models.
        inputs: of each of them.
        **options: further arguments of `begin`.

    Returns:
        The step of their mean probabilities, whose alignments are those of `mean_alignments`, and
        its first state.
    """
    from rnnpipe.decoding import ensemble

    steps, states = zip(*(begin(member, inputs, **options) for member in members), strict=True)
    joined = ensemble(steps)

    def step(tokens: Any, state: Any) -> tuple[Any, ...]:
        logits, state, *alignments = joined(tokens, state)
        return logits, state, *map(mean_alignments, alignments)

    return step, states
