import numpy as np

from rnnpipe.training.labels import LabelAccuracy, LabelCrossEntropy

LOGITS = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
LABELS = np.array([[0, 3, -1], [2, -1, -1]])


def test_the_loss_is_the_mean_over_known_labels():
    logs = LOGITS - np.log(np.exp(LOGITS).sum(axis=-1, keepdims=True))
    expected = -(logs[0, 0, 0] + logs[0, 1, 3] + logs[1, 0, 2]) / 3
    np.testing.assert_allclose(float(LabelCrossEntropy()(LABELS, LOGITS)), expected, rtol=1e-6)
    assert float(LabelCrossEntropy()(np.full((2, 3), -1), LOGITS)) == 0


def test_accuracy_counts_known_labels_over_all_batches():
    metric = LabelAccuracy()
    best = LOGITS.argmax(axis=-1)
    metric.update_state(np.array([[best[0, 0], (best[0, 1] + 1) % 4, -1]]), LOGITS[:1])
    metric.update_state(np.array([[-1, best[1, 1], best[1, 2]]]), LOGITS[1:])
    assert float(metric.result()) == 0.75
    metric.reset_state()
    assert float(metric.result()) == 0
