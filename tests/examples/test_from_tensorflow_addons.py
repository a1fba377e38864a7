"""The page for people who come from TensorFlow Addons: it runs, and names what there is."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rnnpipe.decoding
import rnnpipe.layers
from tests.decoding.steps import log_softmax

PAGE = Path(__file__).resolve().parents[2] / "docs" / "from_tensorflow_addons.md"

# Every public name of the last release, 0.23.
SEQ2SEQ = [
    "AttentionMechanism",
    "AttentionWrapper",
    "AttentionWrapperState",
    "BahdanauAttention",
    "BahdanauMonotonicAttention",
    "BaseDecoder",
    "BasicDecoder",
    "BasicDecoderOutput",
    "BeamSearchDecoder",
    "BeamSearchDecoderOutput",
    "BeamSearchDecoderState",
    "CustomSampler",
    "Decoder",
    "FinalBeamSearchDecoderOutput",
    "GreedyEmbeddingSampler",
    "InferenceSampler",
    "LuongAttention",
    "LuongMonotonicAttention",
    "SampleEmbeddingSampler",
    "Sampler",
    "ScheduledEmbeddingTrainingSampler",
    "ScheduledOutputTrainingSampler",
    "SequenceLoss",
    "TrainingSampler",
    "dynamic_decode",
    "gather_tree",
    "gather_tree_from_array",
    "hardmax",
    "monotonic_attention",
    "safe_cumprod",
    "sequence_loss",
    "tile_batch",
]
RNN = ["ESNCell", "LayerNormLSTMCell", "LayerNormSimpleRNNCell", "NASCell", "PeepholeLSTMCell"]

SERVE = """
import sys
sys.modules["rnnpipe"] = sys.modules["keras"] = None  # whoever imports them now fails
import numpy, tensorflow as tf
given = numpy.load("given.npz")
exported = tf.saved_model.load("turn_around")
served = exported.turn_around(tf.constant(given["source"]))
for name, value in served.items():
    numpy.testing.assert_allclose(value, given[name], rtol=1e-5, atol=1e-6)
assert len(served) == 4
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """All that the page's code made, with its folder and what it printed."""
    folder = tmp_path_factory.mktemp("addons")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names, printed = {}, []
    names["print"] = lambda *values: printed.append(" ".join(map(str, values)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in blocks:
            exec(compile(block, str(PAGE), "exec"), names)
    return names, folder, printed


def test_the_example_of_the_page_prints_its_comments(ran):
    said = re.findall(r"^print\(.*\)  # (.*)$", PAGE.read_text(), re.MULTILINE)
    assert ran[2] == said
    assert len(said) > 5


def test_the_loss_is_the_mean_over_unpadded_tokens(ran):
    names = ran[0]
    inputs = [names["source_ids"][:50], names["words_so_far"][:50]]
    target = names["target_ids"][:50]
    found = names["model"].evaluate(inputs, target, batch_size=50, verbose=0)
    surprise = -log_softmax(names["model"](inputs))
    surprise = np.take_along_axis(surprise, target[..., None], axis=2)[..., 0]
    np.testing.assert_allclose(found, np.mean(surprise[target != names["PAD"]]), rtol=1e-4)


def test_exports_need_neither_this_package_nor_keras(ran):
    names, folder, _ = ran
    found = names["found"]._asdict()
    first = {name: np.asarray(value)[:9] for name, value in found.items()}
    np.savez(folder / "given.npz", source=names["unseen"][:9], **first)
    finished = subprocess.run(
        [sys.executable, "-c", SERVE], cwd=folder, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


def rows():
    """Of each row of the tables, the old names and the new text."""
    found = re.findall(r"^\| (`.*?) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    return [(re.findall(r"`(\w+)", old), new) for old, new in found if "tfa" not in old]


def test_every_name_of_addons_is_documented():
    documented = [name for old, _ in rows() for name in old]
    assert sorted(documented) == sorted(SEQ2SEQ + RNN)


def test_every_documented_name_exists():
    ours = {*rnnpipe.layers.__all__, *rnnpipe.decoding.__all__}
    for old, new in rows():
        named = set(re.findall(r"`(\w+)[`(.]", new)) & ours
        assert named or re.search(r"none|`keras\.|own|pair|state", new), old
    everything = " ".join(new for _, new in rows())
    classes = re.findall(r"`([A-Z]\w+)[`(.]", everything)
    assert set(classes) <= ours
