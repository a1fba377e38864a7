"""What it costs to cut texts anew, or to add noise to them: CPU seconds and tokens.

python -m tools.bench.text_augmentation TEXT --vocabulary 8000
"""

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np

from rnnpipe.inputs.text_augmentation import SubwordSamplingOptions, TextField, TextNoiseOptions
from rnnpipe.sources.text.lines import read_lines
from rnnpipe.text.normalize import Normalizer
from rnnpipe.text.tokenizer import train_tokenizer

_BATCH = 64
_LIMIT = 1000  # tokens: no sample is refused


def main() -> None:
    """Measures both kinds of subwords on the lines of a text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path)
    parser.add_argument("--vocabulary", type=int, default=8000)
    options = parser.parse_args()
    lines = [line for _, line in read_lines(options.text, "utf-8") if isinstance(line, str)]
    normalizer = Normalizer()
    words = Counter(word for line in lines for word in normalizer(line).split())
    for kind in ("bpe", "unigram"):
        tokenizer = train_tokenizer(words, kind=kind, vocabulary=options.vocabulary)
        own = sum(map(len, tokenizer.encode_batch(lines)))
        how = {
            "sampling": TextField(
                "", "", tokenizer, _LIMIT, sampling=SubwordSamplingOptions(alpha=0.1)
            ),
            "noise": TextField(
                "", "", tokenizer, _LIMIT, noise=TextNoiseOptions(drop=0.1, shuffle=3)
            ),
        }
        for name, field in how.items():
            seconds, tokens = _measure(field, lines)
            print(
                f"{kind}, {name}: {1000 * seconds / len(lines):.3f} CPU seconds for 1,000 texts, "
                f"{tokens / own:.2f} times their tokens"
            )


def _measure(field: TextField, lines: list[str]) -> tuple[float, int]:
    texts = [line.encode() for line in lines]
    no_tokens = np.zeros((_BATCH, 1), "int64")
    tokens, start = 0, time.process_time()
    for place in range(0, len(texts), _BATCH):
        batch = texts[place : place + _BATCH]
        tokens += int((field.draw(batch, no_tokens[: len(batch)], place) > 0).sum())
    return time.process_time() - start, tokens


if __name__ == "__main__":
    main()
