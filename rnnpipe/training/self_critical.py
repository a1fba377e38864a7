"""Self-critical sequence training: a captioner trained on the scores of its own captions."""

from collections.abc import Callable
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.decoding import Step, greedy_search, sample
from rnnpipe.text.tokens import END, PAD, START
from rnnpipe.training.token_targets import Perplexity

Reward = Callable[[list[list[int]], list[list[list[int]]]], Any]
"""From captions and the references of each one's image, all of them tokens that end with the end
token, to a score of each, `(captions,)`."""


class SelfCriticalTrainer(keras.Model):
    """Trains a captioner on a reward by REINFORCE, with a baseline for the rewards.

        loss = −1/T Σ (r(ŷ) − b) log p(ŷ)     ŷ drawn from p
        b = r(y*)                             y* greedy: `baseline="greedy"`
        b = mean of r of the others           drawn of the same image: `baseline="samples"`

    T is the number of tokens drawn. What scores better than the baseline becomes likelier, what
    scores worse less likely; where all is scored alike, nothing changes. Drawn captions mostly
    score less than greedy ones, so that with these for comparison most of a step makes something
    less likely; the mean of the others is as good a comparison without that. Captions are drawn
    and scored as the model is used, so without dropout and with the statistics that batch
    normalisation has; hard attention takes its likeliest position.

    Evaluation gives the perplexity of captions that people wrote, and its logarithm as loss.
    Compile it with an optimizer alone and `jit_compile=False`: scores are computed in Python.

    Args:
        model: from inputs to `{"logits", …}`, as of `build_captioner`.
        begin: from images to a step and its first state, e.g. `begin_captioning` of the model.
        reward: scores captions.
        max_length: the most tokens of a caption, the end token included.
        samples: how many captions are drawn of each image.
        baseline: what they are compared with.
        seed: of what is drawn.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: those of the model. In training `fit` takes images `{"image": (images, …)}` and, as
            targets, the references' tokens `(images, captions, time)`, padded.

    Source: Rennie et al., Self-critical Sequence Training for Image Captioning, 2017, section 3,
    equation 9; Luo, A Better Variant of Self-Critical Sequence Training, 2020, equation 5.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        begin: Callable[[Any], tuple[Step, Any]],
        reward: Reward,
        max_length: int,
        samples: int = 1,
        baseline: Literal["greedy", "samples"] = "greedy",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"name": model.name, **kwargs})
        self.model, self.begin, self.reward = model, begin, reward
        self.max_length, self.samples, self.baseline = max_length, samples, baseline
        self.random = keras.random.SeedGenerator(seed)
        self.perplexity = Perplexity()
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.drawn_reward = keras.metrics.Mean(name="reward")
        self.greedy_reward = keras.metrics.Mean(name="greedy_reward")
        self.built = True  # as the model is: its weights can be saved at once

    def call(self, inputs: Any, training: Any = False) -> Any:
        """The outputs of the model."""
        return self.model(inputs, training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Samples captions, scores them, and takes a policy gradient step."""
        inputs, references, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = inputs["image"]
        greedy_ids, drawn = self._decode(images)
        rewards = self._score(drawn, tf.repeat(references, self.samples, axis=0))
        baseline_reward = self._score(greedy_ids, references)
        advantage = rewards - self._baseline(rewards, baseline_reward)
        with tf.GradientTape() as tape:
            loss = self._loss(images, drawn, advantage)
            scaled = self.optimizer.scale_loss(loss)
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(scaled, weights), weights)
        means = {
            self.mean_loss: loss,
            self.drawn_reward: rewards,
            self.greedy_reward: baseline_reward,
        }
        for mean, values in means.items():
            mean.update_state(values)
        return {mean.name: mean.result() for mean in means}

    def test_step(self, data: Any) -> dict[str, Any]:
        """The perplexity of a batch of inputs with the words that follow."""
        inputs, targets, _ = keras.utils.unpack_x_y_sample_weight(data)
        self.perplexity.update_state(targets, self.model(inputs, training=False)["logits"])
        perplexity = self.perplexity.result()
        return {"loss": tf.math.log(perplexity), "perplexity": perplexity}

    def get_config(self) -> dict[str, Any]:
        """Refused: a reward is Python; the model it trains can be saved."""
        raise NotImplementedError("save the captioner itself, `trainer.model`")

    def _decode(self, images: Any) -> tuple[Any, Any]:
        """Greedy captions `(images, time)`, and drawn ones `(images * samples, time)`."""
        step, state = self.begin(images)
        decoded = greedy_search(step, state, max_length=self.max_length)
        drawn = sample(
            step, state, max_length=self.max_length, samples=self.samples, seed=self.random
        )
        return decoded.ids[:, 0], tf.reshape(drawn.ids, (-1, self.max_length))

    def _baseline(self, rewards: Any, baseline_reward: Any) -> Any:
        """The baseline of each drawn caption, `(images * samples,)`."""
        if self.baseline == "greedy":
            return tf.repeat(baseline_reward, self.samples)
        rows = tf.reshape(rewards, (-1, self.samples))
        others = (tf.reduce_sum(rows, axis=1, keepdims=True) - rows) / (self.samples - 1)
        return tf.reshape(others, (-1,))

    def _loss(self, images: Any, drawn: Any, advantage: Any) -> Any:
        reads = tf.pad(drawn, [[0, 0], [1, 0]], constant_values=START)[:, :-1]
        index = tf.repeat(tf.range(tf.shape(images)[0]), self.samples)
        inputs = {"image": images, "image_index": index, "caption": reads}
        logits = self.model(inputs, training=False)["logits"]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(drawn, logits)
        counts = tf.cast(drawn != PAD, losses.dtype)
        total = tf.reduce_sum(advantage[:, None] * losses * counts)
        return total / tf.maximum(tf.reduce_sum(counts), 1)

    def _score(self, captions: Any, references: Any) -> Any:
        """The reward of each caption, `(captions,)`."""

        def score(captions: Any, references: Any) -> Any:
            tokens = [_tokens(row) for row in captions]
            known = [[[*_tokens(one), END] for one in row if one[0] != PAD] for row in references]
            return np.asarray(self.reward(tokens, known), "float32")

        rewards = tf.numpy_function(score, (captions, references), tf.float32)
        return tf.ensure_shape(rewards, (None,))


def _tokens(row: Any) -> list[int]:
    tokens: list[int] = row[row != PAD].tolist()
    return tokens
