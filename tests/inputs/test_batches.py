import json
from io import BytesIO

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from rnnpipe.errors import UserError
from rnnpipe.inputs.batches import make_batches
from rnnpipe.inputs.targets import to_soft_targets
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import shard_name
from rnnpipe.records.specs import VQA
from rnnpipe.records.tfrecord import write_tfrecord


def jpeg(level):
    buffer = BytesIO()
    Image.new("RGB", (8, 6), (level, level, level)).save(buffer, "JPEG")
    return buffer.getvalue()


def record(number):
    return {
        "question_id": number,
        "image_id": 0,
        "image_jpeg": jpeg(number * 10),
        "question": "why?",
        "question_tokens": list(range(4, 4 + number)),
        "question_type": "why",
        "answers": ["so"] * number,
        "answer_type": "other",
        "answer_ids": [2, 0][:number],
        "answer_weights": [0.75, 0.25][:number],
    }


@pytest.fixture
def records(tmp_path):
    shards = [[record(0), record(1)], [record(2), record(3), record(4)]]
    for number, shard in enumerate(shards):
        path = tmp_path / shard_name("vqa", "train", number, 2)
        write_tfrecord(path, [encode_example(VQA, r) for r in shard])
    train = {"records": 5, "shard_records": [2, 3], "num_bytes": 1, "histograms": {}}
    (tmp_path / "stats.json").write_text(json.dumps({"kind": "vqa", "splits": {"train": train}}))
    return RecordsDirectory(tmp_path)


def test_batches_hold_the_records_in_order_and_padded(records):
    fields = ("question_id", "question_tokens", "image_jpeg", "answers", "answer_weights")
    first, second = make_batches(records, "train", fields=fields, batch_size=3)
    assert first["question_id"].numpy().tolist() == [0, 1, 2]
    assert first["question_tokens"].numpy().tolist() == [[0, 0], [4, 0], [4, 5]]
    assert first["answers"].numpy().tolist() == [[b"", b""], [b"so", b""], [b"so", b"so"]]
    np.testing.assert_allclose(first["answer_weights"], [[0, 0], [0.75, 0], [0.75, 0.25]])
    assert first["image_jpeg"].shape == (3, 6, 8, 3)
    assert first["image_jpeg"].dtype == tf.uint8
    np.testing.assert_allclose(first["image_jpeg"].numpy()[:, 0, 0, 0], [0, 10, 20], atol=1)
    assert second["question_id"].numpy().tolist() == [3, 4]


def ids(batches):
    return [int(i) for batch in batches for i in batch["question_id"]]


def test_a_seed_fixes_an_order_that_changes_every_epoch(records):
    def epochs(seed):
        batches = make_batches(
            records, "train", fields=["question_id"], batch_size=2, shuffle_seed=seed
        )
        return [ids(batches) for _ in range(4)]

    first = epochs(1)
    assert first == epochs(1)
    assert first != epochs(2)
    assert len(set(map(tuple, first))) > 1
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in first)


def test_records_that_share_an_image_share_its_pixels(records):
    # All records say image 0, so the pixels are those of the first of them.
    fields = ("question_id", "image_jpeg")
    (batch,) = make_batches(records, "train", fields=fields, batch_size=5, images_by="question_id")
    assert batch["image_index"].numpy().tolist() == [0, 1, 2, 3, 4]
    assert batch["image_jpeg"].shape == (5, 6, 8, 3)
    (batch,) = make_batches(records, "train", fields=fields, batch_size=5, images_by="image_id")
    assert batch["image_index"].numpy().tolist() == [0, 0, 0, 0, 0]
    assert batch["image_jpeg"].shape == (1, 6, 8, 3)


def test_runs_of_neighbours_are_shuffled_as_one(tmp_path):
    path = tmp_path / shard_name("vqa", "train", 0, 1)
    write_tfrecord(path, [encode_example(VQA, {**record(1), "question_id": i}) for i in range(40)])
    train = {"records": 40, "shard_records": [40], "num_bytes": 1, "histograms": {}}
    (tmp_path / "stats.json").write_text(json.dumps({"kind": "vqa", "splits": {"train": train}}))
    batches = make_batches(
        RecordsDirectory(tmp_path),
        "train",
        fields=["question_id"],
        batch_size=8,
        shuffle_seed=1,
        run_length=4,
    )
    order = ids(batches)
    assert sorted(order) == list(range(40))
    assert order != list(range(40))
    for start in order[::4]:
        at = order.index(start)
        assert order[at : at + 4] == list(range(start, start + 4))


def test_a_transform_makes_pairs(records):
    batches = make_batches(
        records,
        "train",
        fields=["question_id"],
        batch_size=5,
        transform=lambda batch: (batch["question_id"], batch["question_id"] * 2),
    )
    ((inputs, targets),) = batches
    assert (targets.numpy() == 2 * inputs.numpy()).all()


def test_an_unknown_split_is_refused(records):
    with pytest.raises(UserError, match="expected a split called 'test'"):
        make_batches(records, "test", fields=["question_id"], batch_size=1)


def test_soft_targets_are_dense_and_padding_adds_nothing():
    ids, weights = tf.constant([[2, 0], [1, 0]]), tf.constant([[0.7, 0.3], [0.4, 0.0]])
    np.testing.assert_allclose(
        to_soft_targets(ids, weights, 4), [[0.3, 0, 0.7, 0], [0, 0.4, 0, 0]], rtol=1e-6
    )
