"""Trainings from the command line, and pairs of finished runs."""

import pytest

import rnnpipe
from tests.runs.handmade import RUNS, Pair, copy_run, make_run
from tests.runs.trainings import CONFIGS, call


@pytest.fixture
def command(tmp_path):
    """The arguments of `rnnpipe train` for tiny settings, whose records are built."""

    def make(name, settings):
        options = [f"data.directory={tmp_path / 'records'}", "build.workers=1", *settings]
        if name in ("captioning", "glimpse"):
            options.append(f"data.source.path={tmp_path / 'raw'}")
        options = [part for option in options for part in ("--set", option)]
        assert call("build", CONFIGS / f"{name}.yaml", *options) == 0
        return ["train", CONFIGS / f"{name}.yaml", *options]

    return make


@pytest.fixture(scope="package")
def make_pair(tmp_path_factory):
    """Makes the pair of a task, once."""
    pairs = {}

    def make(task):
        if task not in pairs:
            folder = tmp_path_factory.mktemp(task)
            name, settings, other = RUNS[task]
            places = [f"data.directory={folder / 'records'}", f"data.source.path={folder / 'raw'}"]
            config = rnnpipe.load_config(name, [*settings, *places])
            records = rnnpipe.build(config, verbose=False)
            own = make_run(folder / "runs" / "own", config, records, seed=1)
            changed = rnnpipe.load_config(config, other)
            member = make_run(folder / "runs" / "other", changed, records, seed=2)
            together = copy_run(own, folder / "together", member.path)
            pairs[task] = Pair(own, member, together, records, folder / "raw")
        return pairs[task]

    return make
