"""Injects faults into builds at random moments: no data set may be partial or wrong.

    python -m tools.cluster.faults --trials 20                  # every fault, interleaved
    python -m tools.cluster.faults --faults worker main --seed 7

After every fault there must be no data set, or a whole one, and none of the build's processes.
The next build must finish with the bytes of a build without faults, whatever the first one left.
Prints a tally, also when it is interrupted, and returns 1 if a trial failed. Builds that ended
before the injection are counted as `not injected`; faults that cannot be tried here are reported as
`SKIPPED`.

The faults: a `worker` process, the process that `forks` workers or the `main` one is killed; the
folder that is being written vanishes (`target`); the file system is full (`disk`: a small one in
memory, which only root can mount). In an object store: `store-main`, `store-target`. On the cluster
of `tools/cluster/flink.py`, which is started and stopped: a `taskmanager` is killed with its
children, and replaced; the process that waits for the job is killed (`flink-main`).
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
from tools.cluster.chaos_trials import ChaosTrials, Fault, TrialBuild
from tools.cluster.components import default_home
from tools.cluster.flink import Cluster

_ON_FLINK = ("taskmanager", "flink-main")


def faults(cluster: Cluster) -> Mapping[str, Fault]:
    """All of them, by name."""
    on_flink = partial(targets.flink, cluster)
    replace = partial(fault_injectors.replace_taskmanager, cluster)

    def no_flink() -> str | None:
        missing = cluster.components.missing
        return f"no {' and no '.join(missing)} in {cluster.components.home}" if missing else None

    return {
        "worker": Fault(targets.disk, fault_injectors.kill_worker),
        "forks": Fault(targets.disk, fault_injectors.kill_forker),
        "main": Fault(targets.disk, fault_injectors.kill_main),
        "target": Fault(targets.disk, fault_injectors.remove_target),
        "disk": Fault(targets.small_disk, unavailable=targets.no_small_disk),
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
    faults_by_name: Mapping[str, Fault], options: argparse.Namespace, tally: dict[str, Counter[str]]
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        trial_build = TrialBuild(folder)
        _ = trial_build.build().fingerprint  # of the code as it is now, for all trials
        trials = ChaosTrials(trial_build, options.seed)
        for trial in range(options.trials):
            for name, outcomes in tally.items():
                outcome = trials.attempt(faults_by_name[name])
                outcomes[outcome] += 1
                print(f"{trial:3} {name:13}{outcome}", flush=True)
    finally:
        shutil.rmtree(folder)


def main() -> int:
    """Runs the trials, prints their table, and returns 1 if anything was wrong."""
    cluster = Cluster(default_home())
    faults_by_name = faults(cluster)
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=about)
    parser.add_argument("--trials", type=int, default=5, help="of each fault (%(default)s)")
    parser.add_argument("--faults", nargs="+", choices=faults_by_name, default=list(faults_by_name))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    skipped = {name: why for name in options.faults if (why := faults_by_name[name].unavailable())}
    tally: dict[str, Counter[str]] = {
        name: Counter() for name in options.faults if name not in skipped
    }
    import_datasets()
    try:
        with _stopped_again(cluster, list(tally)):
            _try_all(faults_by_name, options, tally)
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
