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
    },
)
VALUES = {
    "number": -(2**63),
    "share": 0.25,
    "name": "na\u00efve \U0001f40d",
    "picture": b"\xff\xd8\x00",
    "numbers": [0, -1, 2**63 - 1],
    "shares": [0.5, -1.5],
    "names": ["", "b"],
}


def test_values_survive_the_round_trip():
    assert decode_example(SPEC, encode_example(SPEC, VALUES)) == VALUES


def test_empty_sequences_survive_the_round_trip():
    values = {**VALUES, "numbers": [], "shares": [], "names": []}
    assert decode_example(SPEC, encode_example(SPEC, values)) == values


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


def test_every_kind_of_record_says_what_its_fields_mean():
    for name, spec in SPECS.items():
        assert spec.name == name
        assert spec.description.endswith(".")
        assert all(field.meaning for field in spec.fields.values())
