from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.training.decoded_scores import DecodedScores
from rnnpipe.training.fit import TrainingFiles, fit_model


def test_epochs_are_compared_by_decoded_scores(tmp_path: Path):
    """The scores rise and fall again whatever the loss does, and the highest one is kept."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), loss="mse")
    x = np.ones((4, 1), "float32")
    batches = tf.data.Dataset.from_tensors((x, 3 * x))
    scores, seen = iter([1.0, 5.0, 2.0, 1.0]), []

    def score():
        seen.append(model.get_weights())
        return {"bleu": next(scores)}

    files = TrainingFiles(tmp_path / "best.weights.h5", tmp_path / "log.csv", tmp_path / "events")
    fit_model(
        model,
        batches,
        batches,
        epochs=4,
        monitor="val_bleu",
        mode="max",
        patience=4,
        files=files,
        callbacks=[DecodedScores(score)],
    )
    for kept, best in zip(model.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(kept, best)
    assert "val_bleu" in files.history.read_text().splitlines()[0]
