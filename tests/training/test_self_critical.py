"""Self-critical training on rewards whose best caption is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnpipe.decoding import greedy_search
from rnnpipe.models.captioner import begin_captioning, build_captioner
from rnnpipe.training.self_critical import SelfCriticalTrainer
from tests.models.caption_decoders import caption_options

IMAGES = np.random.default_rng(1).normal(size=(6, 2, 2, 3)).astype("float32")
REFERENCES = np.array([[[4, 5, 0], [6, 0, 0], [0, 0, 0]]] * 6)


def make_trainer(reward, kind="soft", samples=4, rate=0.02, baseline="greedy"):
    keras.utils.set_random_seed(3)
    options = caption_options(kind, {"kind": "features"}, attention_units=4, dropout=0.3)
    model = build_captioner(options, vocab=9, image_shape=(2, 2, 3))
    trainer = SelfCriticalTrainer(
        model,
        begin=lambda images: begin_captioning(model, images),
        reward=reward,
        max_length=5,
        samples=samples,
        baseline=baseline,
    )
    trainer.compile(keras.optimizers.Adam(rate), jit_compile=False)
    return trainer


def chance_of(trainer, token):
    """How likely the first word is this one, a mean over the images."""
    step, state = begin_captioning(trainer.model, IMAGES)
    logits = step(tf.fill((6,), 2), state)[0]
    return float(np.mean(tf.nn.softmax(logits)[:, token]))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_rewarded_captions_become_likelier(sign):
    kind = "soft" if sign > 0 else "hard"
    trainer = make_trainer(lambda said, known: [sign * (row[:1] == [7]) for row in said], kind)
    before = chance_of(trainer, 7)
    for _ in range(8):
        trainer.train_on_batch({"image": IMAGES}, REFERENCES)
    assert sign * (chance_of(trainer, 7) - before) > 0.02


def test_equal_rewards_change_nothing():
    trainer = make_trainer(lambda said, known: [2.0] * len(said))
    before = trainer.get_weights()
    trainer.train_on_batch({"image": IMAGES}, REFERENCES)
    for old, new in zip(before, trainer.get_weights(), strict=True):
        if old.dtype == np.float32 and old.shape:
            np.testing.assert_array_equal(old, new)


def test_the_reward_gets_captions_and_the_references_of_their_image():
    seen = []

    def reward(said, known):
        seen.append((said, known))
        return [float(len(row)) for row in said]

    trainer = make_trainer(reward, samples=2)
    logs = trainer.train_on_batch({"image": IMAGES}, REFERENCES, return_dict=True)
    (drawn, of_drawn), (said, of_said) = seen
    assert (len(drawn), len(said)) == (12, 6)
    assert of_said == [[[4, 5, 3], [6, 3]]] * 6
    assert of_drawn == [[[4, 5, 3], [6, 3]]] * 12
    assert all(3 not in row[:-1] and 0 not in row for row in [*drawn, *said])
    assert logs["reward"] == pytest.approx(np.mean([len(row) for row in drawn]))
    assert logs["greedy_reward"] == pytest.approx(np.mean([len(row) for row in said]))


def test_a_drawn_caption_is_compared_with_the_greedy_one_or_with_the_others_drawn():
    rewards, baseline_reward = tf.constant([1.0, 2.0, 6.0, 0.0, 0.0, 3.0]), tf.constant([5.0, 7.0])

    def compare(baseline):
        trainer = make_trainer(None, samples=3, baseline=baseline)
        return trainer._baseline(rewards, baseline_reward).numpy().tolist()

    assert compare("greedy") == [5, 5, 5, 7, 7, 7]
    assert compare("samples") == [4, 3.5, 1.5, 1.5, 1.5, 0]


def test_the_gradient_is_the_log_likelihood_of_the_sample_times_its_advantage():
    trainer = make_trainer(lambda said, known: [float(len(row)) for row in said], samples=1)
    drawn, advantage = tf.constant([[4, 3, 0, 0, 0], [5, 6, 7, 8, 4]]), tf.constant([2.0, -0.5])
    found = float(trainer._loss(tf.constant(IMAGES[:2]), drawn, advantage))
    inputs = {"image": IMAGES[:2], "image_index": np.arange(2)}
    reads = np.array([[2, 4, 3, 0, 0], [2, 5, 6, 7, 8]])
    log_probs = np.asarray(tf.nn.log_softmax(trainer.model({**inputs, "caption": reads})["logits"]))
    rows = [log_probs[0, [0, 1], [4, 3]].sum(), log_probs[1, range(5), [5, 6, 7, 8, 4]].sum()]
    assert found == pytest.approx(-(2.0 * rows[0] - 0.5 * rows[1]) / 7, rel=1e-5)


@pytest.mark.parametrize("baseline", ["greedy", "samples"])
def test_the_best_caption_is_returned(baseline):
    def reward(said, known):
        return [sum(a == b for a, b in zip(row, [4, 8, 3], strict=False)) for row in said]

    trainer = make_trainer(reward, "show_and_tell", samples=16, rate=0.02, baseline=baseline)
    # A trained model has learnt that padding and the start token are never said.
    trainer.model.get_layer("logits").bias.assign([-9.0, 0, -9.0, *[0] * 6])
    said = {"image": IMAGES, "image_index": np.arange(6), "caption": np.tile([2, 4, 8], (6, 1))}
    validation = tf.data.Dataset.from_tensors((said, np.tile([4, 8, 3], (6, 1))))
    batches = tf.data.Dataset.from_tensors(({"image": IMAGES}, REFERENCES)).repeat(50)
    history = trainer.fit(
        batches, validation_data=validation, epochs=2, shuffle=False, verbose=0
    ).history
    assert history["reward"][1] > history["reward"][0]
    step, state = begin_captioning(trainer.model, IMAGES)
    ids = np.asarray(greedy_search(step, state, max_length=5).ids)[:, 0, :3]
    assert ids.tolist() == [[4, 8, 3]] * 6
    assert history["val_perplexity"][1] < 2
    assert history["val_loss"][1] == pytest.approx(np.log(history["val_perplexity"][1]))
