"""Pretraining of a text model: each word predicted from those before it, or after it."""

import math
from typing import Any

import keras
from keras import ops

from rnnpipe.text.tokens import PAD
from rnnpipe.training.log_likelihood import log_likelihood
from rnnpipe.training.precision import as_float32


class TextPretrainer(keras.Model):
    """Trains a model to predict the next word of a text, and the previous one.

        logits = features Eᵀ + b          p(next wₜ₊₁) = softmax(logits→ₜ)
                                          p(previous wₜ₋₁) = softmax(logits←ₜ)
        loss = −mean over all words that are predicted, in either direction, of log p(word)

    E is the table of the model's embedding: the softmax has no other weights of words than b
    (Press & Wolf 2017). In training it is a softmax over the word itself and `sampled_words`
    others, drawn for the whole batch from Q(w) ∝ log((w + 2) / (w + 1)), which is about how
    frequent words are whose ids are in the order of their frequency; each logit is lowered by
    log(sampled_words · Q), which makes up for what is drawn more often (Jean et al. 2015).
    Evaluation has the whole vocabulary.

    Args:
        model: of `build_text_language_model`.
        sampled_words: how many words each is compared with in training; 0: all.
        seed: of the words drawn.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: token ids `(batch, time)`, padded behind.

    Source: Bengio and Senécal, Adaptive Importance Sampling to Accelerate Training of a Neural
    Probabilistic Language Model, 2008; Jean et al., On Using Very Large Target Vocabulary for
    Neural Machine Translation, 2015, section 3.
    """

    def __init__(
        self, model: keras.Model, *, sampled_words: int = 0, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**{"name": model.name, **kwargs})
        self.model = model
        self.vocab = _table(model).shape[0]
        self.sampled_words = sampled_words if sampled_words < self.vocab else 0
        self.random = keras.random.SeedGenerator(seed)
        self.bias = self.add_weight((self.vocab,), "zeros", name="word_bias")
        self.nats = keras.metrics.Mean(name="loss")
        self.built = True  # as the model is

    def call(self, inputs: Any, training: Any = False) -> Any:
        """The features of the model, of which losses are computed in float32."""
        return as_float32(self.model(inputs, training=training))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: Any = True,
    ) -> Any:
        """The loss of a batch; see the class for the equation."""
        del y, sample_weight
        nats, count = 0.0, 0.0
        words = self._draw() if training and self.sampled_words else None
        for features, targets in pair_directions(x, y_pred):
            counts = ops.cast(ops.not_equal(targets, PAD), "float32")
            losses = self._nats(features, targets, words)
            nats, count = nats + ops.sum(losses * counts), count + ops.sum(counts)
        loss = nats / ops.maximum(count, 1.0)
        self.nats.update_state(loss, count)
        return loss

    def test_step(self, data: Any) -> dict[str, Any]:
        """The loss over the whole vocabulary, and the perplexity."""
        logs = super().test_step(data)
        return {**logs, "perplexity": ops.exp(logs["loss"])}

    def get_config(self) -> dict[str, Any]:
        """Refused: save what it trains, `trainer.model`."""
        raise NotImplementedError("save the model itself, `trainer.model`")

    def _draw(self) -> Any:
        """The ids of other words, `(words,)`."""
        uniform = keras.random.uniform((self.sampled_words,), seed=self.random)
        words = ops.floor(ops.exp(uniform * math.log(self.vocab + 1))) - 1
        return ops.clip(ops.cast(words, "int32"), 0, self.vocab - 1)

    def _log_expected(self, words: Any) -> Any:
        """The logarithm of how often words are expected among those drawn."""
        words = ops.cast(words, "float32")
        share = ops.log1p(1 / (words + 1)) / math.log(self.vocab + 1)
        return ops.log(self.sampled_words * share)

    def _nats(self, features: Any, targets: Any, words: Any) -> Any:
        """−log p of each target, `(batch, time)`."""
        table, bias = _table(self.model), self.bias
        if words is None:
            # Text by text: the logits of a whole batch may need gigabytes.
            def of_text(text: Any) -> Any:
                logits = ops.matmul(text[0], ops.transpose(table)) + bias
                return -log_likelihood(text[1][None], logits[None])[0][0]

            return ops.map(of_text, (features, targets))
        own = ops.sum(features * ops.take(table, targets, axis=0), axis=-1)
        own += ops.take(bias, targets) - self._log_expected(targets)
        others = ops.matmul(features, ops.transpose(ops.take(table, words, axis=0)))
        others += ops.take(bias, words) - self._log_expected(words)
        same = ops.equal(targets[..., None], words)  # (batch, time, words)
        others = ops.where(same, -1e9, others)
        return ops.logaddexp(own, ops.logsumexp(others, axis=-1)) - own


def pair_directions(tokens: Any, features: Any) -> list[tuple[Any, Any]]:
    """The features of each direction with the tokens that they predict, both `(batch, time, …)`.

    Args:
        tokens: `(batch, time)`.
        features: `next`, and maybe `previous`, of each token.

    Returns:
        Pairs of features and of ids; these are `PAD` where nothing is predicted.
    """
    pairs = [(features["next"][:, :-1], tokens[:, 1:])]
    if "previous" in features:
        is_word = ops.not_equal(tokens[:, 1:], PAD)
        targets = ops.where(is_word, tokens[:, :-1], PAD)
        pairs.append((features["previous"][:, 1:], targets))
    return pairs


def _table(model: keras.Model) -> Any:
    """The vectors of all tokens, `(vocab, features)`."""
    embedding = model.get_layer("embedding")
    channels = (embedding.tuned, embedding.frozen) if hasattr(embedding, "tuned") else (embedding,)
    return ops.concatenate([channel.embeddings for channel in channels], axis=-1)
