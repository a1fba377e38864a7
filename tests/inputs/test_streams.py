import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.inputs.streams import make_stream_batches, make_streams, read_documents
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.text.tokens import END, PAD, START


def test_a_row_continues_where_it_ended():
    text = np.arange(4, 30)
    streams = make_streams([text], rows=2, time=5)
    assert streams.tokens.shape == (3, 2, 5)
    rows = streams.targets.swapaxes(0, 1).reshape(2, -1)
    assert rows[0].tolist() == list(range(4, 19))
    assert rows[1].tolist() == [*range(19, 30), *[PAD] * 4]
    read = streams.tokens.swapaxes(0, 1).reshape(2, -1)
    assert read[0].tolist() == [START, *range(4, 18)]
    assert read[1].tolist() == [*range(18, 29), *[PAD] * 4]
    assert streams.starts.tolist() == [[True, True], [False, False], [False, False]]


def test_a_document_begins_a_new_chunk():
    streams = make_streams([np.array([4, 5, 6]), np.array([7])], rows=1, time=2)
    assert streams.tokens[:, 0].tolist() == [[START, 4], [5, PAD], [START, PAD]]
    assert streams.targets[:, 0].tolist() == [[4, 5], [6, PAD], [7, PAD]]
    assert streams.starts[:, 0].tolist() == [True, False, True]


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 50])
def test_every_token_is_a_target_once_in_order(rows):
    rng = np.random.default_rng(rows)
    documents = [rng.integers(4, 99, length) for length in (13, 1, 40, 7)]
    streams = make_streams(documents, rows=rows, time=4)
    np.testing.assert_array_equal(streams.by_text(streams.targets), np.concatenate(documents))
    batches = list(make_stream_batches(streams))
    np.testing.assert_array_equal(np.stack([targets for _, targets in batches]), streams.targets)
    assert {inputs["tokens"].shape for inputs, _ in batches} == {(rows, 4)}


def test_a_gap_ends_a_document(monkeypatch, tmp_path):
    places = [("a", 0), ("a", 1), ("a", 3), ("b", 0)]
    rows = [
        {"document": name, "number": number, "tokens": [10 * i, 10 * i + 1]}
        for i, (name, number) in enumerate(places)
    ]
    monkeypatch.setattr(RecordsDirectory, "read", lambda self, split, fields: iter(rows))
    documents = read_documents(RecordsDirectory(tmp_path), "train")
    assert [d.tolist() for d in documents] == [[0, 1, 10, 11], [20, 21], [30, 31]]


def test_an_end_token_ends_a_document_wherever_spans_are_cut(monkeypatch, tmp_path):
    tokens = [[4, END, 5], [6, END], [7]]
    rows = [{"document": "a", "number": n, "tokens": span} for n, span in enumerate(tokens)]
    monkeypatch.setattr(RecordsDirectory, "read", lambda self, split, fields: iter(rows))
    documents = read_documents(RecordsDirectory(tmp_path), "train")
    assert [d.tolist() for d in documents] == [[4, END], [5, 6, END], [7]]


def test_an_empty_text_is_refused():
    with pytest.raises(UserError, match="at least one token"):
        make_streams([], rows=2, time=3)
