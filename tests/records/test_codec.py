from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.records.codec import decode_example, encode_example
from rnnpipe.records.specs import SPECS, Field, RecordSpec

SPEC = RecordSpec(
    "odd",
    "One field of every kind.",
    {
        "number": Field("int64", "a number"),
        "share": Field("float32", "a fraction"),
        "name": Field("text", "a name"),
        "picture": Field("jpeg", "a picture"),
        "numbers": Field("int64", "numbers", sequence=True),
        "shares": Field("float32", "fractions", sequence=True),
        "names": Field("text", "names", sequence=True),
        "lists": Field("int64", "lists of numbers", sequence=True, nested=True),
        "lines": Field("text", "lists of names", sequence=True, nested=True),
        "grid": Field("float32", "a tensor", axes=3),
        "sound": Field("int16", "a tensor of one axis", axes=1),
        "half": Field("float16", "a tensor of half precision", axes=2),
    },
)
VALUES: dict[str, Any] = {
    "number": -(2**63),
    "share": 0.25,
    "name": "na\u00efve \U0001f40d",
    "picture": b"\xff\xd8\x00",
    "numbers": [0, -1, 2**63 - 1],
    "shares": [0.5, -1.5],
    "names": ["", "b"],
    "lists": [[1, 2], [], [3]],
    "lines": [["a", "\u00e9"], []],
    "grid": np.arange(12, dtype=np.float32).reshape(2, 3, 2) / 7,
    "sound": np.array([-32768, 0, 1, 32767], np.int16),
    "half": np.array([[0.1, -65504.0, 6e-8]], np.float16),
}
ARRAYS = ("grid", "sound", "half")


def read_back(values):
    """What comes back of values that were encoded, arrays apart."""
    read = decode_example(SPEC, encode_example(SPEC, values))
    for name in ARRAYS:
        np.testing.assert_array_equal(read.pop(name), values[name], strict=True)
    return read


def without_arrays(values):
    return {name: value for name, value in values.items() if name not in ARRAYS}


def test_values_survive_the_round_trip():
    assert read_back(VALUES) == without_arrays(VALUES)


def test_the_fields_that_are_asked_for_are_decoded():
    wanted = {"lists": VALUES["lists"], "name": VALUES["name"]}
    assert decode_example(SPEC, encode_example(SPEC, VALUES), [*wanted]) == wanted
    assert decode_example(SPEC, encode_example(SPEC, VALUES), []) == {}


def test_empty_sequences_survive_the_round_trip():
    empty = {"numbers": [], "shares": [], "names": [], "lists": [], "lines": [[], []]}
    arrays = {"grid": np.zeros((0, 3, 2), np.float32), "sound": np.zeros(0, np.int16)}
    values = {**VALUES, **empty, **arrays}
    assert read_back(values) == without_arrays(values)


def test_a_tensor_has_the_axes_that_are_declared():
    with pytest.raises(ValueError, match="grid: 2 axes, 3 are declared"):
        encode_example(SPEC, {**VALUES, "grid": np.zeros((2, 3))})


def test_fields_are_printed_with_their_shapes():
    shown = {name: field.type for name, field in SPEC.fields.items()}
    assert shown["number"] == "int64"
    assert shown["names"] == "text[]"
    assert shown["lists"] == "int64[][]"
    assert shown["grid"] == "float32[:, :, :]"
    assert shown["sound"] == "int16[:]"


def test_bytes_equal_those_of_tensorflow():
    feature = {
        "number": tf.train.Feature(int64_list=tf.train.Int64List(value=[VALUES["number"]])),
        "share": tf.train.Feature(float_list=tf.train.FloatList(value=[VALUES["share"]])),
        "name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[VALUES["name"].encode()])),
        "picture": tf.train.Feature(bytes_list=tf.train.BytesList(value=[VALUES["picture"]])),
        "numbers": tf.train.Feature(int64_list=tf.train.Int64List(value=VALUES["numbers"])),
        "shares": tf.train.Feature(float_list=tf.train.FloatList(value=VALUES["shares"])),
        "names": tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[name.encode() for name in VALUES["names"]])
        ),
        "lists/ragged_flat_values": tf.train.Feature(
            int64_list=tf.train.Int64List(value=[1, 2, 3])
        ),
        "lists/ragged_row_lengths_0": tf.train.Feature(
            int64_list=tf.train.Int64List(value=[2, 0, 1])
        ),
        "lines/ragged_flat_values": tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[b"a", "\u00e9".encode()])
        ),
        "lines/ragged_row_lengths_0": tf.train.Feature(int64_list=tf.train.Int64List(value=[2, 0])),
        "grid/shape": tf.train.Feature(int64_list=tf.train.Int64List(value=[2, 3, 2])),
        "sound": tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[b"\x00\x80\x00\x00\x01\x00\xff\x7f"])
        ),
        "grid/value": tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[VALUES["grid"].tobytes()])
        ),
        "half/shape": tf.train.Feature(int64_list=tf.train.Int64List(value=[1, 3])),
        "half/value": tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[b"\x66\x2e\xff\xfb\x01\x00"])
        ),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    assert encode_example(SPEC, VALUES) == example.SerializeToString(deterministic=True)


def test_order_of_the_values_does_not_change_the_bytes():
    backwards = dict(reversed(VALUES.items()))
    assert encode_example(SPEC, VALUES) == encode_example(SPEC, backwards)


@pytest.mark.parametrize("values", [{**VALUES, "extra": 1}, {"number": 1}])
def test_fields_must_be_those_declared(values):
    with pytest.raises(ValueError, match="missing or not declared"):
        encode_example(SPEC, values)


def test_every_kind_of_record_documents_its_fields():
    for name, spec in SPECS.items():
        assert spec.name == name
        assert spec.description.endswith(".")
        assert all(field.meaning for field in spec.fields.values())
