"""Records of every kind whose checksums are right, and which hold what none may hold."""

import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from rnnpipe.errors import Faults, UserError
from rnnpipe.inputs import parsing
from rnnpipe.inputs.batches import make_batches
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import SOURCE, TARGET, shard_name
from rnnpipe.records.manifest import Manifest
from rnnpipe.records.specs import SPECS
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.records.verify import verify_records
from rnnpipe.sources.images.decoding import decode_jpeg
from rnnpipe.text.symbols import Symbols
from rnnpipe.text.tokenizer import MODEL_FILE, train_tokenizer
from tests.records.handmade_stats import make_stats

NAMES = 2
ITEMS = 3  # of each sequence
BAD = 2  # the number of the record that is


def draw_jpeg(size=8):
    file = io.BytesIO()
    Image.new("RGB", (size, size), (200, 30, 30)).save(file, "JPEG")
    return file.getvalue()


FLOATS = ("float16", "float32")
PLAIN = {"int64": 1, "int16": 2, **dict.fromkeys(FLOATS, 0.5), "text": "ab", "jpeg": draw_jpeg()}


def make_record(spec):
    """A record with a value that may be in each field."""
    record = {}
    for name, field in spec.fields.items():
        value = PLAIN[field.kind]
        if field.axes:
            shape = (ITEMS, 4, 2)[: field.axes]
            value = np.full(shape, value, field.kind)
        elif field.nested:
            value = [[value, value]] * ITEMS
        elif field.sequence:
            value = [value] * ITEMS
        record[name] = value
    return record


def replace_first(value, other):
    """The value with its first number or item replaced, however deep that lies."""
    if isinstance(value, np.ndarray):
        changed = value.copy()
        changed.flat[0] = other
        return changed
    return [replace_first(value[0], other), *value[1:]] if isinstance(value, list) else other


def lengthen(value):
    return np.concatenate([value, value]) if isinstance(value, np.ndarray) else value * 2


def find_forgeries():
    """Every field of every kind with each value that it may not have: `(kind, field, what)`."""
    for kind, spec in SPECS.items():
        base = SPECS.get(kind.removesuffix("_features"), spec)
        for name, field in spec.fields.items():
            if spec is not base and base.fields.get(name) == field:
                continue  # as in the kind without features
            if field.names:
                yield kind, name, "beyond its names"
            if field.least is not None:
                yield kind, name, "below the least"
            if field.kind in FLOATS:
                yield kind, name, "no number"
                yield kind, name, "infinite"
            if field.kind == "jpeg":
                yield kind, name, "no image"
                yield kind, name, "half an image"
                yield kind, name, "another size"
            if field.is_list and field.axes != 1:
                yield kind, name, "longer"
                yield kind, name, "empty"
            if field.axes > 1:
                yield kind, name, "another shape"


FORGERIES = {
    "beyond its names": lambda value: replace_first(value, 10**6),
    "below the least": lambda value: replace_first(value, -2),
    "no number": lambda value: replace_first(value, float("nan")),
    "infinite": lambda value: replace_first(value, float("-inf")),
    "no image": lambda value: replace_first(value, b"no image"),
    "half an image": lambda value: replace_first(value, PLAIN["jpeg"][:200]),
    "another size": lambda value: replace_first(value, draw_jpeg(16)),
    "longer": lengthen,
    "empty": lambda value: value[:0],
    "another shape": lambda value: np.moveaxis(value, 0, 1).copy(),
}


def write_directory(folder, spec, records):
    """A sealed directory of one file of records, as a build has measured all but bad ones."""
    path = folder / shard_name(spec.name, "train", 0, 1)
    folder.mkdir()
    write_tfrecord(path, [encode_example(spec, record) for record in records])
    measures = {name for name, field in spec.fields.items() if field.is_list and not field.nested}
    measures |= {field.axis for field in spec.fields.values() if field.axis}
    split = {
        "records": len(records),
        "num_bytes": path.stat().st_size,
        "shard_records": [len(records)],
        "histograms": {measure: {str(ITEMS): len(records)} for measure in measures},
    }
    stats = make_stats(spec.name, train=split) | {"most_frequent_caption": "so"}
    content = {"stats.json": stats, "fingerprint.json": {"fingerprint": "abc"}}
    content |= {f"{name}.json": ["a", "b"] for name in ("labels", "answers", "clip_labels")}
    for name, value in content.items():
        (folder / name).write_text(json.dumps(value))
    (folder / "dead_letters-00000.jsonl").touch()
    tokenizer = train_tokenizer({"red": 3, "blue": 2}, kind="word", vocabulary=8)
    for vocabulary in {
        (folder / field.names).parent for field in spec.fields.values() if MODEL_FILE in field.names
    }:
        vocabulary.mkdir(exist_ok=True)
        tokenizer.save(vocabulary)
    Symbols("char", "ab").save(folder)
    Manifest.of(folder).write(folder)
    return path


def read_batches(directory, fields, batch_size):
    for _ in make_batches(directory, "train", fields=fields, batch_size=batch_size):
        pass


@pytest.mark.parametrize("kind", SPECS)
def test_records_that_are_right_are_read(kind, tmp_path):
    spec = SPECS[kind]
    write_directory(tmp_path / "records", spec, [make_record(spec)] * 4)
    directory = RecordsDirectory.open(tmp_path / "records")
    for decode in (decode_jpeg, parsing.decode_jpeg):
        assert verify_records(directory, decode) == 4
    assert len(list(directory.read("train"))) == 4
    read_batches(directory, spec.fields, 3)


@pytest.mark.parametrize(("kind", "field", "what"), list(find_forgeries()))
def test_what_a_record_may_not_hold_is_named(kind, field, what, tmp_path):
    spec = SPECS[kind]
    record = make_record(spec)
    forged = {**record, field: FORGERIES[what](record[field])}
    path = write_directory(tmp_path / "records", spec, [record, forged, record])
    directory = RecordsDirectory.open(tmp_path / "records")
    # What training reads: that field alone, where nothing of it depends on others.
    with pytest.raises(tf.errors.InvalidArgumentError):
        read_batches(directory, [field], 3)
    for decode in (decode_jpeg, parsing.decode_jpeg):  # which record it is
        with pytest.raises(Faults) as faults:
            verify_records(directory, decode)
        (fault,) = faults.value.faults
        assert str(fault).startswith(f"{path}, record {BAD}: expected ")
        assert field in fault.expected or (spec.fields[field].axis and "as many of" in str(fault))
        assert fault.got
        assert "`rnnpipe build`" in fault.fix
    if "image" in what or "size" in what or "shape" in what:
        return  # what is read one by one is not decoded
    with pytest.raises(UserError, match=rf"{path.name}, record {BAD}: expected .*, got .*; "):
        list(directory.read("train", [field]))


@pytest.mark.parametrize("kind", ["vqa", "caption", "video", "video_features"])
def test_items_of_one_axis_are_equally_many(kind, tmp_path):
    spec = SPECS[kind]
    record = make_record(spec)
    names = [name for name, field in spec.fields.items() if field.axis]
    forged = {**record, names[-1]: record[names[-1]][:2]}
    path = write_directory(tmp_path / "records", spec, [record, forged, record])
    directory = RecordsDirectory.open(tmp_path / "records")
    with pytest.raises(tf.errors.InvalidArgumentError):
        read_batches(directory, names, 3)
    with pytest.raises(UserError, match=rf"{path.name}, record {BAD}: expected "):
        list(directory.read("train"))


def test_lengths_that_the_build_has_not_counted_are_named(tmp_path):
    """Such a split has another number of batches than its lengths give."""
    spec = SPECS["text_pair"]
    record = make_record(spec)
    short = {**record, "source_tokens": [1] * (ITEMS - 1), "target_tokens": [1] * (ITEMS - 1)}
    write_directory(tmp_path / "records", spec, [record, short])
    directory = RecordsDirectory.open(tmp_path / "records")
    with pytest.raises(Faults) as faults:
        verify_records(directory, decode_jpeg)
    assert str(faults.value) == (
        f"{directory.path}, train: expected source_tokens of length 2 in 0 records, as stats.json "
        "has it, got 1; build the records again with `rnnpipe build`"
    )


@pytest.mark.parametrize("side", [SOURCE, TARGET])
def test_the_vocabulary_of_each_side_counts(side, tmp_path):
    spec = SPECS["text_pair"]
    write_directory(tmp_path / "records", spec, [make_record(spec)])
    folder = tmp_path / "records"
    train_tokenizer({"red": 3, "a": 1, "b": 1}, kind="word", vocabulary=9).save(folder / side)
    Manifest.of(folder).write(folder)
    limits = RecordsDirectory.open(folder).limits
    assert limits[f"{side}_tokens"].most == 6
    assert {limits[f"{each}_tokens"].most for each in (SOURCE, TARGET)} == {5, 6}
