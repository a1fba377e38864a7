"""What is sent in Morse code: words in random order."""

import random
from collections.abc import Mapping, Sequence

from rnnpipe.sources.generated.morse.words import WORDS
from rnnpipe.sources.splits import Split

_FEWEST = 2  # words of a text
_HELD_OUT_WORDS = 0.1


def sample_texts(
    counts: Mapping[Split, int], most_words: int, rng: random.Random
) -> dict[Split, list[str]]:
    """Texts of two words or more, for each split.

    No text occurs twice, and a tenth of the words occurs in no text of training: a model has to
    learn the letters, as neither texts nor all words can be known by heart.

    Args:
        counts: how many texts of each split.
        most_words: of a text.
        rng: draws.
    """
    held_out = set(rng.sample(WORDS, round(_HELD_OUT_WORDS * len(WORDS))))
    trained = [word for word in WORDS if word not in held_out]
    texts: dict[Split, list[str]] = {}
    drawn: set[str] = set()
    for split, count in counts.items():
        words: Sequence[str] = trained if split == "train" else WORDS
        texts[split] = []
        while len(texts[split]) < count:
            text = " ".join(rng.choices(words, k=rng.randint(_FEWEST, most_words)))
            if text not in drawn:
                drawn.add(text)
                texts[split].append(text)
    return texts
