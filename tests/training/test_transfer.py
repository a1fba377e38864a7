"""Weights taken over: by stable paths, by shape, and rows by their names."""

import keras
import numpy as np
import pytest

from rnnpipe.layers import LSTM, RecurrentStack
from rnnpipe.training.row_names import RowNames
from rnnpipe.training.transfer import NamedWeights, is_within, transfer_weights, weights_by_path


def make_classifier(vocab, classes, *, units=3, depth=2):
    tokens = keras.Input((None,), dtype="int32")
    words = keras.layers.Embedding(vocab, 2, name="embedding")(tokens)
    hidden = RecurrentStack(LSTM(units), depth, name="recurrence")(words)
    hidden = keras.layers.Dense(4)(keras.layers.Dense(units)(hidden))
    return keras.Model(tokens, keras.layers.Dense(classes, name="logits")(hidden))


def fill(model, start):
    """Other numbers in every place of every weight."""
    for weight in model.weights:
        size = int(np.prod(weight.shape))
        weight.assign(np.arange(start, start + size, dtype="float32").reshape(weight.shape))
        start += size


def arrays_of(model):
    return {path: weight.numpy() for path, weight in weights_by_path(model).items()}


PATHS = [
    "embedding/embeddings",
    "dense/kernel",
    "dense/bias",
    "dense_1/kernel",
    "dense_1/bias",
    "logits/kernel",
    "logits/bias",
    *(
        f"recurrence/level_{level}/lstm_cell/{name}"
        for level in (0, 1)
        for name in ("kernel", "recurrent_kernel", "bias")
    ),
]


def test_paths_are_the_same_however_many_layers_were_made_before():
    models = [make_classifier(5, 2), make_classifier(5, 2)]
    names = [[layer.name for layer in model.layers] for model in models]
    assert names[0] != names[1], "Keras numbers layers in a process"
    for model in models:
        assert sorted(weights_by_path(model)) == sorted(PATHS)
        assert {id(w) for w in weights_by_path(model).values()} == set(map(id, model.weights))


def test_paths_are_the_same_of_a_loaded_model(tmp_path):
    model = make_classifier(5, 2)
    fill(model, 1)
    model.save(tmp_path / "model.keras")
    loaded = arrays_of(keras.models.load_model(tmp_path / "model.keras"))
    assert list(loaded) == list(arrays_of(model))
    for path, array in arrays_of(model).items():
        np.testing.assert_array_equal(loaded[path], array)


def test_a_layer_in_two_places_has_the_shorter_path():
    inner = keras.layers.Dense(2, name="shared")
    nested = keras.Sequential([keras.Input((2,)), inner], name="nested")
    model = keras.Sequential([keras.Input((2,)), nested, inner])
    assert list(weights_by_path(model)) == ["shared/kernel", "shared/bias"]


def test_the_same_model_takes_all():
    ours, theirs = make_classifier(5, 2), make_classifier(5, 2)
    fill(theirs, 1)
    transfer = transfer_weights(ours, {}, NamedWeights.of(theirs, {}))
    assert dict(transfer.taken) == dict.fromkeys(weights_by_path(ours), "")
    assert (transfer.left, transfer.unused) == ({}, [])
    for weight, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)


TOKENS = ["<pad>", "<unk>", "red", "blue"], ["<pad>", "<unk>", "blue", "green", "red"]
LABELS = ["no", "yes"], ["yes", "no", "perhaps"]


def rows_of(tokens, labels):
    return {"embedding": RowNames("tokens", tokens), "logits": RowNames("labels", labels)}


def test_rows_are_matched_by_name():
    ours, theirs = make_classifier(4, 2), make_classifier(5, 3)
    fill(ours, -1000)
    fill(theirs, 1)
    source = NamedWeights.of(theirs, rows_of(TOKENS[1], LABELS[1]))
    transfer = transfer_weights(ours, rows_of(TOKENS[0], LABELS[0]), source)
    assert transfer.taken["embedding/embeddings"] == "4 of 4 tokens"
    assert transfer.taken["logits/bias"] == "2 of 2 labels"
    assert transfer.taken["dense/kernel"] == ""
    table, kernel, bias = (
        (source.arrays[path], arrays_of(ours)[path])
        for path in ("embedding/embeddings", "logits/kernel", "logits/bias")
    )
    np.testing.assert_array_equal(table[1], table[0][[0, 1, 4, 2]])
    np.testing.assert_array_equal(kernel[1], kernel[0][:, [1, 0]])
    np.testing.assert_array_equal(bias[1], bias[0][[1, 0]])


def test_a_row_that_the_other_has_not_stays_as_it_was():
    ours, theirs = make_classifier(5, 3), make_classifier(4, 2)
    fill(ours, -1000)
    fill(theirs, 1)
    before = arrays_of(ours)
    source = NamedWeights.of(theirs, rows_of(TOKENS[0], LABELS[0]))
    transfer = transfer_weights(ours, rows_of(TOKENS[1], LABELS[1]), source)
    assert transfer.taken["embedding/embeddings"] == "4 of 5 tokens"
    after, given = arrays_of(ours), source.arrays
    expected = before["embedding/embeddings"].copy()
    expected[[0, 1, 2, 4]] = given["embedding/embeddings"][[0, 1, 3, 2]]
    np.testing.assert_array_equal(after["embedding/embeddings"], expected)
    expected = before["logits/kernel"].copy()
    expected[:, [0, 1]] = given["logits/kernel"][:, [1, 0]]
    np.testing.assert_array_equal(after["logits/kernel"], expected)


def test_as_many_rows_of_other_names_are_matched_by_name_too():
    ours, theirs = make_classifier(4, 2), make_classifier(4, 2)
    fill(theirs, 1)
    names = [["a", "b", "c", "d"], ["d", "c", "b", "a"]]
    source = NamedWeights.of(theirs, {"embedding": RowNames("tokens", names[1])})
    transfer_weights(ours, {"embedding": RowNames("tokens", names[0])}, source)
    table = source.arrays["embedding/embeddings"]
    np.testing.assert_array_equal(arrays_of(ours)["embedding/embeddings"], table[::-1])


def test_units_as_many_as_rows_do_not_confuse_the_axes():
    """A square kernel has its labels on the last axis."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="logits")])
    rows = {"logits": RowNames("labels", ["a", "b"])}
    kernel = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    others = {"logits": RowNames("labels", ["b", "a"])}
    transfer_weights(model, rows, NamedWeights({"logits/kernel": kernel}, others))
    np.testing.assert_array_equal(model.layers[0].kernel, [[2.0, 1.0], [4.0, 3.0]])


@pytest.mark.parametrize(
    ("rows", "others", "reason"),
    [
        ("labels", "tokens", "its rows are tokens there, labels here"),
        ("labels", None, "its rows are unnamed there, labels here"),
        (None, "tokens", "its rows are tokens there, unnamed here"),
    ],
)
def test_rows_of_another_kind_are_left(rows, others, reason):
    ours, theirs = make_classifier(4, 2), make_classifier(4, 2)
    names = [{"logits": RowNames(kind, ["a", "b"])} if kind else {} for kind in (rows, others)]
    transfer = transfer_weights(ours, names[0], NamedWeights.of(theirs, names[1]))
    assert transfer.left == {"logits/kernel": reason, "logits/bias": reason}
    assert transfer.unused == ["logits/kernel", "logits/bias"]


def test_what_does_not_fit_is_left_with_its_reason():
    ours, theirs = make_classifier(4, 2, depth=3), make_classifier(4, 2, units=5)
    source = NamedWeights.of(theirs, {"logits": RowNames("labels", ["a", "b"])})
    transfer = transfer_weights(ours, {"logits": RowNames("labels", ["c", "d"])}, source)
    assert transfer.left["logits/bias"] == "they have no labels in common"
    assert transfer.left["recurrence/level_0/lstm_cell/bias"] == (
        "its shape is (20) there, (12) here"
    )
    assert transfer.left["recurrence/level_2/lstm_cell/bias"] == "the other run has no such weight"
    assert list(transfer.taken) == ["embedding/embeddings", "dense_1/bias"]


def test_rows_of_another_width_are_left():
    ours, theirs = make_classifier(4, 2), make_classifier(5, 2)
    wide = {"embedding/embeddings": np.ones((5, 7), "float32")}
    source = NamedWeights({**arrays_of(theirs), **wide}, rows_of(TOKENS[1], LABELS[0]))
    transfer = transfer_weights(ours, rows_of(TOKENS[0], LABELS[0]), source)
    assert transfer.left == {"embedding/embeddings": "its shape is (5, 7) there, (4, 2) here"}


def test_parts_are_the_only_ones_taken():
    ours, theirs = make_classifier(4, 2), make_classifier(4, 2)
    fill(ours, -1000)
    fill(theirs, 1)
    before = arrays_of(ours)
    parts = {"recurrence/level_1": "recurrence/level_1", "logits/bias": "dense/bias"}
    source = {**arrays_of(theirs), "dense/bias": np.array([5.0, 6.0], "float32")}
    transfer = transfer_weights(ours, {}, NamedWeights(source), parts)
    taken = [path for path in weights_by_path(ours) if is_within(path, "recurrence/level_1")]
    assert sorted(transfer.taken) == sorted([*taken, "logits/bias"])
    assert transfer.left["embedding/embeddings"] == "not among the parts to take"
    after = arrays_of(ours)
    np.testing.assert_array_equal(after["logits/bias"], [5, 6])
    for path in transfer.left:
        np.testing.assert_array_equal(after[path], before[path])


def test_names_that_only_begin_alike_are_no_part():
    assert is_within("dense/kernel", "dense")
    assert is_within("dense/kernel", "dense/kernel")
    assert not is_within("dense_1/kernel", "dense")
