"""How well one can do without reading: by the classes alone, and by words without their order."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from rnnpipe.metrics.classification import guess_by_frequency
from rnnpipe.records.directory import RecordsDirectory

Array = np.ndarray[Any, np.dtype[Any]]

_STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
_ITERATIONS = 500


class BagOfWords:
    """Logistic regression on which words occur in a text; their order and number count nothing.

    Its words are those that the tokenizer's normaliser finds, in any number. The strength of its
    L2 penalty is the one of five under which the validation texts are likeliest, so that it is
    tuned on as much as the model is.

    Args:
        train: texts and classes to learn from.
        validation: texts and classes to choose the penalty by.
        classes: how many classes there are.
        normalize: what texts go through before they are split at spaces.

    Source: Wang and Manning, Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification, 2012, whose words count once too.
    """

    def __init__(
        self,
        train: Sequence[tuple[str, int]],
        validation: Sequence[tuple[str, int]],
        *,
        classes: int,
        normalize: Callable[[str], str],
    ) -> None:
        self._classes = classes
        self._words = CountVectorizer(
            analyzer=lambda text: normalize(text).split(), binary=True, dtype=np.float32
        )
        features = self._words.fit_transform([text for text, _ in train])
        labels = [label for _, label in train]
        fitted = [
            LogisticRegression(C=strength, max_iter=_ITERATIONS).fit(features, labels)
            for strength in _STRENGTHS
        ]
        texts, expected = [text for text, _ in validation], [label for _, label in validation]
        self._model = min(fitted, key=lambda model: self._loss(model, texts, expected))

    def classify(self, texts: Sequence[str]) -> Array:
        """The probabilities of the classes, `(texts, classes)`."""
        return self._classify(self._model, texts)

    def _classify(self, model: Any, texts: Sequence[str]) -> Array:
        # A class that training never shows has no column in scikit-learn.
        probabilities = np.zeros((len(texts), self._classes))
        probabilities[:, model.classes_] = model.predict_proba(self._words.transform(texts))
        return probabilities

    def _loss(self, model: Any, texts: Sequence[str], labels: Sequence[int]) -> float:
        predicted = self._classify(model, texts)[np.arange(len(texts)), labels]
        return float(-np.log(np.maximum(predicted, 1e-12)).mean())


def classify_by_baselines(
    records: RecordsDirectory, texts: Sequence[str], normalize: Callable[[str], str]
) -> Mapping[str, Array]:
    """The probabilities of each baseline, `(texts, classes)`, by name.

    Args:
        records: the records, whose splits `train` and `validation` the baselines learn from.
        texts: to classify.
        normalize: what texts go through before they are split at spaces.
    """
    train, validation = (_read(records, split) for split in ("train", "validation"))
    classes = len(records.labels)
    counts = np.bincount([label for _, label in train], minlength=classes)
    words = BagOfWords(train, validation, classes=classes, normalize=normalize)
    return {
        "majority": guess_by_frequency(counts, len(texts)),
        "bag_of_words": words.classify(texts),
    }


def _read(records: RecordsDirectory, split: str) -> list[tuple[str, int]]:
    return [(row["text"], row["label"]) for row in records.read(split, ["text", "label"])]
