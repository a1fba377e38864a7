"""Times a translation run, beside JoeyNMT where it is installed: training, greedy and beam search.

    python -m tools.bench.translation runs/multi30k_de_en                    # a trained run
    python -m tools.bench.translation runs/multi30k_de_en --steps 5 --sentences 128 --turns 1
    python -m tools.bench.translation runs/multi30k_de_en --what waiting     # for data, an epoch
    python -m tools.bench.translation runs/multi30k_de_en --what training --give-back

The cases alternate in one process, with all its cores. They see the same sentences in the
same batches, as the run cuts them, each padded in its own way:

- ours: the run's model as it is;
- ours, wide: the same translator at the sizes of JoeyNMT's recipe, without tied weights and with
  its dropout: what is not there in the run's weights is zeros (`joey_weights.py`);
- joeynmt: its model, loss, clipping, Adam and searches, with the weights of the wide one
  (`joey.py`): so both have as much to compute, and a search as many steps to do, since they say
  the same. How many of the translations are equal is printed;
- joeynmt, mixed: the same sentences in the batches that JoeyNMT would have made: drawn at random in
  training, in the order of the file for a search.

Two things are not JoeyNMT's own: biases of keys and logits, which it lacks, and sources without end
token, as ours have none. Nothing is compiled while the clock runs: a turn goes through all batches,
and the first one is not counted. Of the turns the median counts, on the wall, and in brackets what
the CPU seconds would make of cores that nobody else uses. Memory that tensors leave is kept, as a
run keeps it (`rnnpipe.training.malloc`), unless `--give-back` is said.
"""

import argparse
import os
import sys
import time
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from rnnpipe.errors import UserError
from rnnpipe.inputs.prefetching import prefetch
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import TARGET
from rnnpipe.runs.config import load_run_config
from rnnpipe.runs.directory import open_run
from rnnpipe.runs.model import load_model
from rnnpipe.runs.records import find_records
from rnnpipe.tasks import make_task
from rnnpipe.tasks.beam_decoder import token_finder
from rnnpipe.tasks.translation.network import make_search
from rnnpipe.tasks.translation.search import TranslationSearch
from rnnpipe.tasks.translation.task import TranslationTask
from rnnpipe.text.tokenizer import Tokenizer
from rnnpipe.text.tokens import PAD
from rnnpipe.training.malloc import tune_malloc
from tools.bench.interleaved import Case, interleave
from tools.bench.joey_weights import widen_to_joey

OURS, WIDE, JOEY, MIXED = "ours", "ours, wide", "joeynmt", "joeynmt, mixed"
MAX_LENGTH = 100


class Bench:
    """The cases of a run.

    Args:
        task: the run's task.
        records: its records.
        model: its trained model.
        competitors: whether JoeyNMT takes part.
    """

    def __init__(
        self,
        task: TranslationTask,
        records: RecordsDirectory,
        model: keras.Model,
        *,
        competitors: bool,
    ) -> None:
        self.task, self.records = task, records
        self.models = {OURS: model, WIDE: widen_to_joey(model, task.config)}
        self.joey: Any = None
        if competitors:
            # Its LLVM and TensorFlow's do not bear each other in one process; CPUs need no Triton.
            sys.modules.setdefault("triton", None)  # type: ignore[arg-type]  # forbids its import
            from tools.bench.joey import build_joey  # it is not installed everywhere

            self.joey = build_joey(self.models[WIDE])

    def print_sizes(self) -> None:
        """How many weights each case has."""
        sizes = {name: model.count_params() for name, model in self.models.items()}
        if self.joey is not None:
            sizes[JOEY] = sum(weight.numel() for weight in self.joey.parameters())
        for name, size in sizes.items():
            print(f"{name:16}{size:12,} weights")

    def time_search(self, width: int, split: str, sentences: int, turns: int) -> None:
        """Sentences a second, and how many the cases translate in the same way."""
        sources = [row["source_tokens"] for row in self.records.read(split)][:sentences]
        settings, target = self.task.config.evaluate, Tokenizer.load(self.records.path / TARGET)
        options = replace(
            settings.search, beam_width=width, n_best=1, groups=1, max_length=MAX_LENGTH
        )
        find_token, size = token_finder(target.pieces, "evaluate.search"), settings.batch_size
        cases: dict[str, Case] = {}
        for name, model in self.models.items():
            function = make_search(model, options, find_token)
            search = TranslationSearch(function, options, batch_size=size)
            cases[name] = partial(search, sources)
        if self.joey is not None:
            from tools.bench.joey import translating  # it is not installed everywhere

            by_length = sorted(sources, key=len, reverse=True)
            for name, ordered in ((JOEY, by_length), (MIXED, sources)):
                cases[name] = translating(
                    self.joey, ordered, width=width, max_length=MAX_LENGTH, batch_size=size
                )
        print(f"\n{'greedy' if width == 1 else f'beam of {width}'}, {len(sources)} sentences:")
        self._print_equal(cases)
        _print_rates(interleave(cases, 0, min_rounds=turns), len(sources), "sentences")

    def _print_equal(self, cases: dict[str, Case]) -> None:
        ours = [each[0].tokens if each else [] for each in cases[OURS]()]
        others = {WIDE: [each[0].tokens if each else [] for each in cases[WIDE]()]}
        if MIXED in cases:
            others[MIXED] = cases[MIXED]()
        for name, found in others.items():
            same = np.mean([a == b for a, b in zip(ours, found, strict=True)])
            print(f"  {same:.1%} of the translations of {name} are those of ours")

    def time_training(self, steps: int, turns: int) -> None:
        """Target tokens a second."""
        batches = self.task.make_batches(self.records, "train", shuffle_seed=0)
        held = list(batches.take(steps))
        tokens = sum(int(np.count_nonzero(says)) for _, says in held)
        filled = tokens / sum(says.shape[0] * says.shape[1] for _, says in held)
        options = {"x": _replay(held), "steps_per_epoch": len(held), "verbose": 0, "shuffle": False}
        cases: dict[str, Case] = {
            name: partial(self.task.build_trainer(model, self.records).fit, **options)
            for name, model in self.models.items()
        }
        if self.joey is not None:
            from tools.bench.joey import mix, training  # it is not installed everywhere

            pairs, optimizer = [_pairs(*each) for each in held], self.task.config.train.optimizer
            for name, drawn in ((JOEY, pairs), (MIXED, mix(pairs))):
                cases[name] = training(
                    self.joey, drawn, optimizer.learning_rate, optimizer.clip_norm or 1.0
                )
        print(f"\ntraining, {steps} steps; {filled:.0%} of our targets is no padding:")
        _print_rates(interleave(cases, 0, min_rounds=turns), tokens, "target tokens")

    def time_waiting(self) -> None:
        """The share of an epoch of ours that is spent waiting for data, from the first batch on."""
        trainer = self.task.build_trainer(self.models[OURS], self.records)
        batches = self.task.make_batches(self.records, "train", shuffle_seed=0)
        waited, start = 0.0, time.perf_counter()
        iterator = iter(batches)
        for _ in range(len(batches)):
            before = time.perf_counter()
            inputs, says = next(iterator)
            waited += time.perf_counter() - before
            trainer.train_on_batch(inputs, says)
        print(f"\nwaiting for data: {waited / (time.perf_counter() - start):.1%} of an epoch")


def _print_rates(found: dict[str, dict[str, float]], count: int, what: str) -> None:
    for name, wall in found["wall"].items():
        ideal = (os.cpu_count() or 1) * count / found["cpu"][name]
        ratio = wall / found["wall"][OURS]
        print(f"  {name:16}{count / wall:8,.0f} {what}/s ({ideal:,.0f}), {ratio:.2f} x ours' time")


def _replay(held: list[Any]) -> tf.data.Dataset:
    """The same batches for ever."""
    signature = tf.nest.map_structure(
        lambda tensor: tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype), held[0]
    )
    return prefetch(
        tf.data.Dataset.from_generator(lambda: held, output_signature=signature).repeat()
    )


def _pairs(inputs: dict[str, Any], says: Any) -> list[tuple[list[int], list[int]]]:
    """Sources and targets of a batch, without padding, start and end."""
    sources, targets = (
        [row[row != PAD].tolist() for row in np.asarray(rows)] for rows in (inputs["source"], says)
    )
    return [(source, target[:-1]) for source, target in zip(sources, targets, strict=True)]


def main() -> None:
    """Times the stages one after another: training last, since it changes the weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a trained run, or a folder of runs: the newest")
    parser.add_argument("--steps", type=int, default=20, help="of training a turn (default: 20)")
    parser.add_argument("--turns", type=int, default=5, help="of each case (default: 5)")
    parser.add_argument("--split", default="validation", help="which is translated")
    parser.add_argument("--sentences", type=int, default=1000, help="at most (default: 1000)")
    stages = ("greedy", "beam", "training", "waiting")
    parser.add_argument("--what", nargs="+", choices=stages, default=stages[:3])
    parser.add_argument("--give-back", action="store_true", help="memory, as other programs do")
    options = parser.parse_args()
    if not options.give_back:
        tune_malloc()
    run = open_run(options.run)
    task = make_task(load_run_config(run))
    if not isinstance(task, TranslationTask):
        raise UserError("run", "a run of translation", task.name, "take another one")
    competitors = find_spec("joeynmt") is not None
    print(run.path if competitors else f"{run.path}; JoeyNMT is not installed: see joey.py")
    bench = Bench(
        task, find_records(task.config, task), load_model(run, task).model, competitors=competitors
    )
    bench.print_sizes()
    for stage, width in (("greedy", 1), ("beam", 5)):
        if stage in options.what:
            bench.time_search(width, options.split, options.sentences, options.turns)
    if "training" in options.what:
        bench.time_training(options.steps, options.turns)
    if "waiting" in options.what:
        bench.time_waiting()


if __name__ == "__main__":
    main()
