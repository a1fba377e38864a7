import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from rnnpipe.inputs.parsing import parse_batch
from rnnpipe.records.codec import encode_example
from rnnpipe.records.layout import shard_name
from rnnpipe.records.metadata import SplitSize, write_metadata
from rnnpipe.records.specs import Field, RecordSpec
from rnnpipe.records.tfrecord import write_tfrecord

SPEC = RecordSpec(
    "odd",
    "Fields of more than one dimension.",
    {
        "lists": Field("int64", "lists of numbers", sequence=True, nested=True),
        "lines": Field("text", "lists of names", sequence=True, nested=True),
        "grid": Field("float32", "a tensor", axes=3),
        "rows": Field("float32", "a sequence of vectors", sequence=True, axes=2),
        "sound": Field("int16", "a tensor of any length", axes=1),
        "half": Field("float16", "a tensor of half precision", axes=2),
    },
)
GRID = np.arange(12, dtype=np.float32).reshape(2, 3, 2) / 7
RECORDS = [
    {
        "lists": [[4, 5], [], [6]],
        "lines": [["a"]],
        "grid": GRID,
        "rows": [[1, 2]],
        "sound": [5, -6],
        "half": [[0.1]],
    },
    {
        "lists": [[7]],
        "lines": [[], ["b", "c"]],
        "grid": -GRID,
        "rows": np.zeros((0, 2)),
        "sound": [],
        "half": [[-65504.0]],
    },
    {
        "lists": [],
        "lines": [],
        "grid": 2 * GRID,
        "rows": [[3, 4], [5, 6]],
        "sound": [0],
        "half": [[6e-8]],
    },
]
SERIALISED = [encode_example(SPEC, record) for record in RECORDS]


def test_nested_sequences_are_padded_and_tensors_are_whole():
    parsed = parse_batch(SPEC, tf.constant(SERIALISED), SPEC.fields)
    assert parsed.keys() == {*SPEC.fields, "frame_index", "sound_length"}
    assert parsed["lists"].numpy().tolist() == [
        [[4, 5], [0, 0], [6, 0]],
        [[7, 0], [0, 0], [0, 0]],
        [[0, 0], [0, 0], [0, 0]],
    ]
    assert parsed["lines"].numpy().tolist()[1] == [[b"", b""], [b"b", b"c"]]
    assert parsed["grid"].dtype == tf.float32
    np.testing.assert_array_equal(parsed["grid"], [GRID, -GRID, 2 * GRID])


def test_tensors_of_half_precision_are_read_as_float32():
    parsed = parse_batch(SPEC, tf.constant(SERIALISED), ["half"])
    assert parsed["half"].dtype == tf.float32
    np.testing.assert_array_equal(parsed["half"], np.float16([[[0.1]], [[-65504.0]], [[6e-8]]]))


def test_sequences_of_tensors_are_concatenated_and_indexed():
    parsed = parse_batch(SPEC, tf.constant(SERIALISED), ["rows"])
    assert parsed["rows"].numpy().tolist() == [[1, 2], [3, 4], [5, 6]]
    assert parsed["frame_index"].numpy().tolist() == [[0, -1], [-1, -1], [1, 2]]


def test_tensors_of_one_axis_are_padded():
    parsed = parse_batch(SPEC, tf.constant(SERIALISED), ["sound"])
    assert parsed["sound"].dtype == tf.int16
    assert parsed["sound"].numpy().tolist() == [[5, -6], [0, 0], [0, 0]]
    assert parsed["sound_length"].numpy().tolist() == [2, 0, 1]


def test_in_a_graph_the_number_of_axes_is_known():
    batches = tf.data.Dataset.from_tensor_slices(SERIALISED).batch(2)
    spec = batches.map(lambda batch: parse_batch(SPEC, batch, SPEC.fields)).element_spec
    assert spec["lists"].shape.as_list() == [None, None, None]
    assert spec["grid"].shape.as_list() == [None, None, None, None]
    assert spec["rows"].shape.as_list() == [None, None]
    assert spec["sound"].shape.as_list() == [None, None]
    assert spec["sound_length"].shape.as_list() == [None]
    assert spec["frame_index"].shape.as_list() == [None, None]


def test_tensorflow_datasets_reads_the_same(tmp_path):
    file = write_tfrecord(tmp_path / shard_name("odd", "train", 0, 1), SERIALISED)
    write_metadata(tmp_path, SPEC, {"train": SplitSize([3], file.num_bytes)})
    rows = list(tfds.builder_from_directory(str(tmp_path)).as_dataset(split="train"))
    for row, record in zip(rows, RECORDS, strict=True):
        assert row["lists"].to_list() == record["lists"]
        np.testing.assert_array_equal(row["grid"], record["grid"])
        np.testing.assert_array_equal(row["rows"], record["rows"])
        np.testing.assert_array_equal(row["sound"], record["sound"])
    assert rows[1]["lines"].to_list() == [[], [b"b", b"c"]]
