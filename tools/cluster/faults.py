"""Builds that are hindered at random moments: is there ever half a data set, or a wrong one?

    python -m tools.cluster.faults --trials 20                  # every fault, in turns
    python -m tools.cluster.faults --faults worker main --seed 7

After every fault there must be no data set, or a whole one, and none of the build's processes.
What a killed build left behind must not hinder the next one, which must finish with the bytes of a
build that nothing hindered. Prints a tally, also when it is interrupted, and returns 1 if that ever
was not so. Builds that ended before anything could strike them are counted as `not struck`, and
faults that cannot be tried here are told as `skipped`.

The faults: a `worker` process, the process that `forks` workers or the `main` one is killed; the
folder that is being written vanishes (`target`); the file system is full (`disk`: a small one in
memory, which only root can mount). In an object store: `store-main`, `store-target`. On the cluster
of `tools/cluster/flink.py`, which is started and stopped: a `taskmanager` is killed with all that
it has started, and replaced; the process that waits for the job is killed (`flink-main`).
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.records.metadata import import_datasets
from tools.cluster import fault_injectors, targets
from tools.cluster.chaos_trials import Bench, Fault, Trials
from tools.cluster.components import default_home
from tools.cluster.flink import Cluster

_ON_FLINK = ("taskmanager", "flink-main")


def faults(cluster: Cluster) -> Mapping[str, Fault]:
    """All of them, by name."""
    on_flink = partial(targets.flink, cluster)
    replace = partial(fault_injectors.replace_taskmanager, cluster)

    def no_flink() -> str | None:
        missing = cluster.parts.missing
        return f"no {' and no '.join(missing)} in {cluster.parts.home}" if missing else None

    return {
        "worker": Fault(targets.disk, fault_injectors.kill_worker),
        "forks": Fault(targets.disk, fault_injectors.kill_forker),
        "main": Fault(targets.disk, fault_injectors.kill_main),
        "target": Fault(targets.disk, fault_injectors.remove_target),
        "disk": Fault(targets.small_disk, hindrance=targets.no_small_disk),
        "store-main": Fault(targets.store, fault_injectors.kill_main),
        "store-target": Fault(targets.store, fault_injectors.remove_target),
        "taskmanager": Fault(on_flink, replace, no_flink),
        "flink-main": Fault(on_flink, fault_injectors.kill_main, no_flink),
    }


@contextmanager
def _stopped_again(cluster: Cluster, names: list[str]) -> Iterator[None]:
    """Stops the cluster in the end, unless it ran before; nobody else uses it meanwhile."""
    if not set(names) & set(_ON_FLINK):
        yield
        return
    with cluster.reserved():
        was_running = bool(cluster.processes.names())
        try:
            yield
        finally:
            if not was_running:
                cluster.stop()


def _try_all(
    every: Mapping[str, Fault], given: argparse.Namespace, tally: dict[str, Counter[str]]
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        bench = Bench(folder)
        _ = bench.build().fingerprint  # of the code as it is now, for all trials
        trials = Trials(bench, given.seed)
        for trial in range(given.trials):
            for name, outcomes in tally.items():
                outcome = trials.attempt(every[name])
                outcomes[outcome] += 1
                print(f"{trial:3} {name:13}{outcome}", flush=True)
    finally:
        shutil.rmtree(folder)


def main() -> int:
    """Runs the trials, prints their table, and returns 1 if anything was wrong."""
    cluster = Cluster(default_home())
    every = faults(cluster)
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parser.add_argument("--trials", type=int, default=5, help="of each fault (%(default)s)")
    parser.add_argument("--faults", nargs="+", choices=every, default=list(every))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    skipped = {name: why for name in given.faults if (why := every[name].hindrance())}
    tally: dict[str, Counter[str]] = {
        name: Counter() for name in given.faults if name not in skipped
    }
    import_datasets()
    try:
        with _stopped_again(cluster, list(tally)):
            _try_all(every, given, tally)
    except UserError as fault:
        print(f"faults: {fault}", file=sys.stderr)
        return 2
    finally:
        for name, outcomes in tally.items():
            print(f"{name:13}", ", ".join(f"{n} x {outcome}" for outcome, n in outcomes.items()))
        for name, why in skipped.items():
            print(f"{name:13} SKIPPED: {why}", flush=True)
    return int(any(o.startswith("wrong") for outcomes in tally.values() for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
