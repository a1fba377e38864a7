"""The records of a training batch, named after the fact."""

import numpy as np
import pytest

from rnnpipe.tasks import make_task
from rnnpipe.training.fit import find_batch

SEED = 5


def rows_of(tokens):
    return [[int(token) for token in row if token > 0] for row in np.asarray(tokens)]


# By task: what of a batch each record is known by, and the same of the record.
CONTENTS = {
    "text_classification": (lambda x, y: rows_of(x), lambda row: list(row["tokens"])),
    "translation": (lambda x, y: rows_of(x["source"]), lambda row: list(row["source_tokens"])),
    "vqa": (lambda x, y: rows_of(x["question"]), lambda row: list(row["question_tokens"])),
    "captioning": (lambda x, y: rows_of(y), lambda row: list(row["caption_tokens"])),
    "image_classification": (lambda x, y: np.asarray(y).tolist(), lambda row: row["label"]),
    "video_labeling": (lambda x, y: np.asarray(y["clip"]).tolist(), lambda row: row["clip_label"]),
    "speech": (lambda x, y: rows_of(y["ctc"]), lambda row: list(row["tokens"])),
}


@pytest.mark.parametrize(
    "name",
    [
        "text_classification",
        *(pytest.param(name, marks=pytest.mark.slow) for name in (*CONTENTS,)[1:]),
    ],
)
def test_the_records_of_a_batch_are_found(name, make_pair):
    pair = make_pair(name)
    config, records = pair.own.config, pair.records
    task = make_task(config)
    of_batch, of_record = CONTENTS[name]
    field = task.record_fields[0]
    known = {str(row[field]): of_record(row) for row in records.read("train")}
    steps = len(task.make_batches(records, "train", shuffle_seed=SEED))
    for epochs in (0, 1):
        for step in sorted({1, steps}):
            batches = task.make_batches(records, "train", shuffle_seed=SEED)
            ids = find_batch(task.make_record_ids(records, SEED), epochs, step).numpy().tolist()
            ids = [each.decode() if isinstance(each, bytes) else str(each) for each in ids]
            found = of_batch(*find_batch(batches, epochs, step))
            assert len(found) == len(ids)
            for content, each in zip(found, ids, strict=True):
                if name == "captioning":  # one of several captions, and its end
                    assert content[:-1] in [list(caption) for caption in known[each]]
                else:
                    assert content == known[each]
