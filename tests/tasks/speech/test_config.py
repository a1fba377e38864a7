import pytest

from rnnpipe.errors import UserError
from tests.tasks.speech.conftest import DECODER, make_task

JOINT = {"model": {"output": {"kind": "joint", **DECODER}}}
ATTENTION = {"model": {"output": {"kind": "attention", **DECODER}}}
MODEL = {"run": "runs/lm"}
STORED = {"rate": 4000, "mels": 8}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model": {"features": {"rate": 8000}}},
            "model.features.rate: expected that of data.sound, 4000, got 8000",
        ),
        (
            {"data": {"features": STORED}},
            "model.features: expected null with data.features, got settings",
        ),
        (
            {
                "data": {"features": STORED},
                "model": {"features": None},
                "train": {"augment": {"speed": 0.1}},
            },
            "train.augment: expected none with data.features, got settings",
        ),
        (
            {"evaluate": {"search": {"coverage_penalty": 0.5}}},
            "evaluate.search.coverage_penalty: expected 0 with CTC alone, where it has no effect",
        ),
        (
            {"evaluate": {"search": {"ctc_weight": 0.5}}},
            "evaluate.search.ctc_weight: expected 0.3 with the output ctc",
        ),
        (
            {**JOINT, "evaluate": {"search": {"ctc_weight": 1.0, "groups": 3, "n_best": 3}}},
            "evaluate.search.groups: expected 1 with CTC alone",
        ),
        (
            {**JOINT, "evaluate": {"search": {"sampling": {}}}},
            "evaluate.search.sampling: expected null with CTC, whose scores are no distribution",
        ),
        (
            {"evaluate": {"search": {"beam_width": 1, "n_best": 1, "language_model": MODEL}}},
            "evaluate.search.beam_width: expected at least 2 with a language model",
        ),
        (
            {**ATTENTION, "evaluate": {"search": {"sampling": {}, "language_model": MODEL}}},
            "evaluate.search.sampling: expected null with a language model",
        ),
        (
            {"evaluate": {"search": {"language_model": {"run": "s3://a/b"}}}},
            "evaluate.search.language_model.run: expected a folder of this machine",
        ),
        (
            {"evaluate": {"search": {"language_model": {"run": "a", "weight": 0}}}},
            "evaluate.search.language_model.weight: expected a positive number, got 0",
        ),
        (
            {"model": {"output": {"kind": "attention", "decoder": {"attention": None}}}},
            "decoder.attention: expected a mechanism, got null",
        ),
        *(
            (
                {"model": {"subsampling": {name: 4}}},
                "kernel_size: expected at least stride and frequency_stride, 4, got 3",
            )
            for name in ("stride", "frequency_stride")
        ),
    ],
)
def test_mistakes_are_reported(changes, message):
    with pytest.raises(UserError) as fault:
        make_task(**changes)
    assert message in str(fault.value).replace("']", "").replace("['", "")


def test_features_are_those_of_the_records_of_the_model_or_by_the_rate():
    assert make_task().config.log_mel.mels == 8
    stored = {"data": {"features": {"rate": 4000, "mels": 12}}, "model": {"features": None}}
    assert make_task(**stored).config.log_mel.mels == 12
    default = make_task(model={"features": None}).config.log_mel
    assert (default.rate, default.mels) == (4000, 40)


def test_texts_are_as_long_as_those_of_the_records():
    search = make_task(**JOINT).config.evaluate.search
    assert search.limit(12).max_length == 13
    assert search.has_decoder(make_task(**JOINT).config.model.output)
