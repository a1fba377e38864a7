"""An export that is written by hand, without training: it weighs the words of a text."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import rnnpipe
from rnnpipe.config.dump import dump_config
from rnnpipe.exports.function import Description
from rnnpipe.exports.manifest import Manifest, hash_files
from rnnpipe.exports.write import CONFIG, VOCABULARY
from rnnpipe.records.layout import LABELS
from rnnpipe.text.tokenizer import train_tokenizer

WORDS = ("bad", "dull", "film", "good", "long", "music", "no", "the", "very", "worst")
LIMIT = 8  # tokens that are read


def write_export(folder: Path) -> Path:
    """Writes an export of a text classifier whose logits are sums of weights of words."""
    vocabulary = folder / VOCABULARY
    vocabulary.mkdir(parents=True)
    tokenizer = train_tokenizer(dict.fromkeys(WORDS, 5), kind="word", vocabulary=20)
    tokenizer.save(vocabulary)
    (vocabulary / LABELS).write_text(json.dumps(["neg", "pos"]))
    settings = {"data.text.max_tokens": LIMIT, "evaluate.batch_size": 7}
    (folder / CONFIG).write_text(dump_config(rnnpipe.load_config("sentiment", settings)))
    weights = np.random.default_rng(5).normal(size=(tokenizer.vocabulary_size, 2))
    weights[0] = 0  # of padding
    (folder / "call.onnx").write_bytes(_make_graph(weights.astype("float32")))
    function = Description("call.onnx", {"tokens": ("int32", [None, None])}, ["logits"])
    check = {"rows": 0, "equal_ids": 1.0, "largest_difference": 0.0}
    files = hash_files(folder)
    Manifest("onnx", "text_classification", {"call": function}, check, files).write(folder)
    return folder


def _make_graph(weights: np.ndarray) -> bytes:
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["weights", "tokens"], ["gathered"]),
            helper.make_node("ReduceSum", ["gathered", "axes"], ["logits"], keepdims=0),
        ],
        "words",
        [helper.make_tensor_value_info("tokens", TensorProto.INT32, [None, None])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [None, 2])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([1]), "axes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def sentence(number: int) -> str:
    """A text of one to nine words."""
    return " ".join(WORDS[(number * place + place) % 10] for place in range(1, 2 + number % 9))
