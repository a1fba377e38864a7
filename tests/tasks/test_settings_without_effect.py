"""A setting that would be ignored, or that undoes another, is refused before any work."""

import pytest

import rnnpipe
from rnnpipe.errors import UserError
from rnnpipe.parts.search import SamplingOptions

IGNORED = {
    "diversity without groups": (
        "translation",
        {"evaluate.search.diversity": 1.0},
        "evaluate.search.diversity']: expected 0.5 with one group, where it has no effect, got 1",
    ),
    "nesterov without momentum": (
        "sentiment",
        {"train.optimizer": {"kind": "sgd", "nesterov": True}},
        "train.optimizer.nesterov: expected false without momentum",
    ),
    "a plateau after the end": (
        "sentiment",
        {"train.optimizer.schedule": {"kind": "plateau", "patience": 4}},
        "train.optimizer.schedule.patience: expected less than train.keep_best.patience, 4",
    ),
    "the size of a readout that has none": (
        "translation",
        {"model.decoder.output": "plain", "model.decoder.output_size": 9},
        "model.decoder.output_size']: expected null with the output plain",
    ),
    "sampling of words": (
        "sentiment",
        {"train.subword_sampling": {"alpha": 0.1}},
        "train.subword_sampling']: expected null with the tokenizer word",
    ),
    "n best segmentations of bpe": (
        "translation",
        {"data.text.tokenizer": "bpe", "train.subword_sampling": {"nbest_size": 9}},
        "train.subword_sampling.nbest_size: expected -1 with the tokenizer bpe, got 9",
    ),
    "no noise": (
        "translation",
        {"train.source_noise": {"drop": 0.0}},
        "train.source_noise.drop: expected above 0 without shuffle",
    ),
    **{
        f"{key} without attention": (
            "captioning",
            {"model.decoder": {"attention": None, "depth": 2, key: value}},
            f"model.decoder.{key}: expected",
        )
        for key, value in (
            ("architecture", "top_down"),
            ("input_feeding", False),
            ("output", "maxout"),
            ("output_size", 9),
            ("tie_weights", True),
            ("bridge", "zeros"),
            ("scheduled_sampling", {"kind": "linear"}),
        )
    },
}


@pytest.mark.parametrize(("config", "settings", "message"), IGNORED.values(), ids=IGNORED)
def test_a_setting_without_effect_is_refused(config, settings, message):
    with pytest.raises(UserError) as fault:
        rnnpipe.load_config(config, settings)
    assert message in str(fault.value)


HAS_EFFECT = {
    "groups": ("translation", {"evaluate.search": {"groups": 5, "diversity": 1.0}}),
    "momentum": (
        "sentiment",
        {"train.optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": True}},
    ),
    "a plateau before the end": (
        "sentiment",
        {"train.optimizer.schedule": {"kind": "plateau", "patience": 3}},
    ),
    "no attention": ("captioning", {"model.decoder.attention": None}),
}


@pytest.mark.parametrize(("config", "settings"), HAS_EFFECT.values(), ids=HAS_EFFECT)
def test_a_setting_with_an_effect_is_taken(config, settings):
    assert rnnpipe.load_config(config, settings)


@pytest.mark.parametrize(
    ("config", "settings", "message"),
    [
        ("sentiment", {"evaluate.splits": ["test", "test"]}, "splits']: expected each item once"),
        ("captioning", {"evaluate.java_metrics": ["spice"] * 3}, "got spice 3 times"),
    ],
)
def test_nothing_is_scored_twice(config, settings, message):
    with pytest.raises(UserError) as fault:
        rnnpipe.load_config(config, settings)
    assert message in str(fault.value)


def test_bounds_are_written_with_all_their_digits():
    with pytest.raises(UserError, match="from 0 to 4294967295, got -1"):
        rnnpipe.load_config("sentiment", {"seed": -1})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    ("config", "key"),
    [
        ("sentiment", "train.optimizer.learning_rate"),
        ("sentiment", "model.recurrence.cell.forget_bias"),
        ("language_model", "sampling.temperature"),
        ("translation", "evaluate.search.length_penalty"),
    ],
)
def test_numbers_are_finite(config, key, number):
    with pytest.raises(UserError, match="expected a finite number"):
        rnnpipe.load_config(config, {key: number})


def test_numbers_of_python_are_finite_too():
    with pytest.raises(UserError, match=r"SamplingOptions.temperature: expected a finite number"):
        SamplingOptions(temperature=float("inf"))
