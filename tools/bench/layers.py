"""Times our recurrent layers against `keras.layers` and, where it is installed, `torch.nn`.

    python -m tools.bench.layers                     # all layers at all shapes, some minutes
    python -m tools.bench.layers --layers LSTM --shapes 32,100,128,256 --seconds 20
    python -m tools.bench.layers --history runs.jsonl  # ratios also as a line of a file
    python -m tools.bench.layers --memory            # peak memory of a training step at T = 1000
    KERAS_BACKEND=jax python -m tools.bench.layers   # on another backend

All cases of a line run in one process, in turn, so that whatever else the machine does hits
all of them alike: read the ratios, not the milliseconds. Medians; `cpu` is the ratio of the seconds
that all threads spent, which a busy machine distorts least; `first` is the first call, which
compiles; `forward` is that of `predict`, `evaluate` and validation; `roof` is the share of the
measured matrix product's speed that the arithmetic reaches.
"""

import argparse
import importlib.util
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras

from rnnpipe import layers
from tools.bench.history import Timings, append_run
from tools.bench.interleaved import Case, describe, interleave, seconds_of
from tools.bench.layer_cases import forward, train

SHAPES = (
    (64, 50, 256, 512),
    (32, 100, 128, 256),
    (128, 25, 512, 512),
    (32, 40, 64, 64),
    (1, 200, 256, 512),
)
THEIRS = {
    "LSTM": keras.layers.LSTM,
    "GRU": keras.layers.GRU,
    "VanillaRNN": keras.layers.SimpleRNN,
}
GATES = {"LSTM": 4, "GRU": 3, "VanillaRNN": 1}


def keras_cases(kind: str, shape: tuple[int, ...]) -> dict[str, dict[str, Case]]:
    """Forward pass and training step of both layers, with equal weights and inputs."""
    batch, length, features, units = shape
    inputs = keras.random.normal((batch, length, features), seed=1)
    theirs = THEIRS[kind](units, return_sequences=True)
    ours = getattr(layers, kind)(units, return_sequences=True)
    for layer in (theirs, ours):
        layer.build(inputs.shape)
    ours.set_weights(theirs.get_weights())
    return {
        "forward": {"keras": forward(theirs, inputs), "ours": forward(ours, inputs)},
        "train": {"keras": train(theirs, inputs), "ours": train(ours, inputs)},
    }


def torch_cases(kind: str, shape: tuple[int, ...]) -> dict[str, dict[str, Case]]:
    """The same of `torch.nn`, or nothing where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        return {"forward": {}, "train": {}}
    import torch

    batch, length, features, units = shape
    layer = {"LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU, "VanillaRNN": torch.nn.RNN}[kind](
        features, units, batch_first=True
    )
    inputs = torch.randn(batch, length, features, requires_grad=True)

    def run() -> Any:
        with torch.no_grad():
            return layer(inputs)[0][0, 0, 0].item()

    def step() -> Any:
        layer.zero_grad()
        inputs.grad = None
        layer(inputs)[0].square().sum().backward()
        return inputs.grad[0, 0, 0].item()

    return {"forward": {"torch": run}, "train": {"torch": step}}


def roof() -> float:
    """Floating point operations a second of a 2048³ matrix product."""
    square = keras.random.normal((2048, 2048))

    def product() -> float:
        return float(keras.ops.matmul(square, square)[0, 0])

    best = min(seconds_of(product)[0] for _ in range(8))
    return 2 * 2048**3 / best


def compare(kind: str, shape: tuple[int, ...], seconds: float) -> dict[str, Timings]:
    """Prints a line for the forward pass and one for the training step, and returns both."""
    batch, length, features, units = shape
    work = 2 * batch * length * GATES[kind] * units * (features + units)
    peers = torch_cases(kind, shape)
    lines: dict[str, Timings] = {}
    for what, cases in keras_cases(kind, shape).items():
        speed = roof()
        found = interleave(cases | peers[what], seconds)
        lines[f"{kind} {what} {shape}"] = found
        share = work * (3 if what == "train" else 1) / found["wall"]["ours"] / speed
        print(
            f"{kind:10} {what:7} {shape}: {describe(found, 1)} | roof {share:.0%} of "
            f"{speed / 1e9:.0f} GFLOP/s | first {found['first']['ours']:.1f} s",
            flush=True,
        )
    return lines


def peak_memory(whose: str) -> None:
    """Prints the MiB that a training step adds at T = 1000; in a process of its own."""
    shape = (32, 1000, 128, 256)
    small = keras_cases("LSTM", (32, 2, 128, 256))["train"][whose]
    small()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    case = keras_cases("LSTM", shape)["train"][whose]
    for _ in range(2):
        case()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before >> 10)


def compare_memory(times: int = 5) -> None:
    """Prints the median peak of both layers over several processes, the least and the greatest."""
    for whose in ("keras", "ours"):
        command = [sys.executable, "-m", "tools.bench.layers", "--peak", whose]
        peaks = []
        for _ in range(times):
            found = subprocess.run(command, capture_output=True, text=True, check=True)
            peaks.append(int(found.stdout.split()[-1]))
        print(
            f"LSTM train (32, 1000, 128, 256): {whose} {statistics.median(peaks)} MiB "
            f"({min(peaks)} to {max(peaks)})",
            flush=True,
        )


def main() -> None:
    """Parses, runs, prints."""
    parser = argparse.ArgumentParser(description="Times our layers against their peers.")
    parser.add_argument("--layers", nargs="+", choices=GATES, default=list(GATES))
    parser.add_argument(
        "--shapes",
        nargs="+",
        default=SHAPES,
        type=lambda text: tuple(map(int, text.split(","))),
        metavar="BATCH,TIME,FEATURES,UNITS",
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="for each line")
    parser.add_argument("--history", type=Path, help="a file that gets a JSON line of the run")
    parser.add_argument("--memory", action="store_true", help="peak memory instead of time")
    parser.add_argument("--peak", choices=("keras", "ours"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        peak_memory(options.peak)
        return
    if options.memory:
        compare_memory()
        return
    lines: dict[str, Timings] = {}
    for kind in options.layers:
        for shape in options.shapes:
            lines |= compare(kind, shape, options.seconds)
    if options.history:
        append_run(options.history, "layers", lines)


if __name__ == "__main__":
    main()
