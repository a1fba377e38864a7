"""Truncated backpropagation through time: memory by length of text, and tokens per second.

    python -m tools.bench.truncated

Trains the model of `configs/language_model.yaml` on made-up texts of growing length, in chunks of
64 tokens, and on the shorter ones in one chunk, each in a process of its own, whose highest memory
is printed.
"""

import os
import resource
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from rnnpipe.inputs.streams import make_stream_batches, make_streams
from rnnpipe.models.language_model import LanguageModelOptions, build_language_model
from rnnpipe.parts.cells import LSTMOptions
from rnnpipe.parts.embedding import EmbeddingOptions
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.training.token_targets import TokenCrossEntropy
from rnnpipe.training.truncated import TruncatedBPTT

ROWS, CHUNK, VOCAB, UNITS = 32, 64, 96, 256
LENGTHS = (512, 2048, 8192)  # tokens in each row
WHOLE = (512, 2048)


def measure(length: int, chunk: int) -> None:
    """Trains on rows of so many tokens and prints the memory taken and tokens per second."""
    text = np.random.default_rng(0).integers(4, VOCAB, ROWS * length)
    batches = make_stream_batches(make_streams([text], rows=ROWS, time=chunk))
    options = LanguageModelOptions(
        embedding=EmbeddingOptions(size=64),
        recurrence=RecurrenceOptions(cell=LSTMOptions(units=UNITS)),
    )
    model = build_language_model(options, vocab=VOCAB)
    trainer = TruncatedBPTT(model, ROWS)
    trainer.compile("adam", loss=TokenCrossEntropy())
    trainer.fit(batches.take(1), shuffle=False, verbose=0)  # compilation is not counted
    start = time.perf_counter()
    trainer.fit(batches, shuffle=False, verbose=0)
    rate = len(text) / (time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {length * ROWS:,} | {chunk:,} | {peak:,.0f} | {rate:,.0f} |", flush=True)


def main() -> None:
    """Prints a table, a row for each length and chunk."""
    print("| tokens of text | chunk | highest memory, MiB | tokens/s |\n| --- | --- | --- | --- |")
    for length, chunk in [*((each, CHUNK) for each in LENGTHS), *((each, each) for each in WHOLE)]:
        subprocess.run(
            [sys.executable, "-m", "tools.bench.truncated", str(length), str(chunk)], check=True
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(*map(int, sys.argv[1:]))
    else:
        main()
