"""The Python API: the stages of a run as functions. `rnnpipe` exports them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.requirements import require, requiring
from rnnpipe.storage.paths import local_path

if TYPE_CHECKING:
    from rnnpipe.config.overrides import Overrides
    from rnnpipe.records.directory import RecordsDirectory
    from rnnpipe.runs.compare import Comparison
    from rnnpipe.runs.export import Export
    from rnnpipe.runs.run import Run
    from rnnpipe.sweeps.space import Space
    from rnnpipe.sweeps.sweep import Sweep
    from rnnpipe.tasks.run_config import RunConfig

# Everything else is imported by the function that needs it: `import rnnpipe` is instant.


def load_config(
    config: "str | Path | RunConfig", overrides: "Overrides | None" = None
) -> "RunConfig":
    """A checked config with all of its defaults.

    Args:
        config: a shipped config's name, the path of a YAML file, or a config.
        overrides: values by dotted key, e.g. `{"train.epochs": 2}`, or texts as `--set` takes
            them.

    Raises:
        UserError: as `Faults`, everything that is wrong with it.

    Example:
        >>> import rnnpipe
        >>> config = rnnpipe.load_config("vqa", {"train.epochs": 2})
        >>> config.train.epochs, config.train.batch_size
        (2, 48)
    """
    overrides = () if overrides is None else overrides
    if isinstance(overrides, str):
        fix = 'write e.g. {"train.epochs": 2}'
        raise UserError("overrides", "a mapping or a list", repr(overrides), fix)
    with requiring("runs", where="a config"):
        from rnnpipe.config.loader import change_settings, load_config
        from rnnpipe.shipped import find_config
        from rnnpipe.tasks import find_schemas
        from rnnpipe.tasks.run_config import RunConfig

        if isinstance(config, RunConfig):
            return change_settings(config, overrides)
        return load_config(find_config(_path("config", config)), find_schemas(), overrides)


def run(
    config: "str | Path | RunConfig",
    overrides: "Overrides | None" = None,
    *,
    name: str | None = None,
    runs_dir: str | Path = "runs",
    beam_args: Sequence[str] = (),
    verbose: bool = True,
) -> "Run":
    """Builds the records if they are missing or stale, trains, evaluates and reports.

    Training seeds Python, NumPy and Keras, and makes TensorFlow's operations deterministic, for
    the whole process.

    Args:
        config: a shipped config's name, the path of a YAML file, or a config.
        overrides: values by dotted key, e.g. `{"train.epochs": 2}`, or texts as `--set` takes
            them.
        name: of the folder of its runs; by default that of the file, or of the task.
        runs_dir: where that folder is.
        beam_args: Beam's own options for the build, as on a command line.
        verbose: whether progress and scores are printed.

    Raises:
        UserError: the config, the raw data or a place to write to is not as it should be, or a
            library is not installed.

    Example:
        >>> import rnnpipe
        >>> tiny = {"data.source.sentences": 200, "model.recurrence.cell.units": 4}
        >>> run = rnnpipe.run("sentiment", {**tiny, "train.epochs": 2}, verbose=False)
        >>> sorted(run.history)
        ['accuracy', 'learning_rate', 'loss', 'val_accuracy', 'val_loss']
        >>> len(run.history["val_accuracy"])
        2
        >>> 0 <= run.metrics["test"]["accuracy"] <= 1
        True
        >>> prediction = run.predict(text="Not a bad film.")
        >>> sorted(answer.text for answer in prediction.answers)
        ['neg', 'pos']
    """
    with requiring("build", "train", "report", where="a run"):
        from rnnpipe.runs.console import make_console
        from rnnpipe.runs.run import Run
        from rnnpipe.runs.stages import run_stages
        from rnnpipe.tasks import make_task

        settings = load_config(config, overrides)
        directory = run_stages(
            settings,
            make_task(settings),
            name=name or _name(config),
            runs_dir=_path("runs_dir", runs_dir),
            console=make_console(quiet=not verbose),
            beam_args=beam_args,
        )
        return Run(directory)


def build(
    config: "str | Path | RunConfig",
    overrides: "Overrides | None" = None,
    *,
    beam_args: Sequence[str] = (),
    verbose: bool = True,
) -> "RecordsDirectory":
    """Builds the records of a config; finished ones are reused.

    Args:
        config: a shipped config's name, the path of a YAML file, or a config.
        overrides: values by dotted key, e.g. `{"data.directory": "records"}`, or texts as `--set`
            takes them.
        beam_args: Beam's own options, as on a command line.
        verbose: whether progress and a summary are printed.

    Raises:
        UserError: the config, the raw data, the place for the records or Beam's options are not
            as they should be.

    Example:
        >>> import rnnpipe
        >>> records = rnnpipe.build("sentiment", {"data.source.sentences": 100}, verbose=False)
        >>> sum(records.splits.values()), next(records.read("train"))["label"] in (0, 1)
        (100, True)
    """
    with requiring("build", where="a build"):
        from rnnpipe.runs.build import build_records
        from rnnpipe.runs.console import make_console
        from rnnpipe.tasks import make_task

        settings = load_config(config, overrides)
        console = make_console(quiet=not verbose)
        return build_records(settings, make_task(settings), console, beam_args)


def train(
    config: "str | Path | RunConfig",
    overrides: "Overrides | None" = None,
    *,
    name: str | None = None,
    runs_dir: str | Path = "runs",
    verbose: bool = True,
) -> "Run":
    """Trains on finished records, without an evaluation; see `run` for the arguments.

    Raises:
        UserError: as `run`, or the records are missing or stale.
    """
    with requiring("train", where="a training"):
        from rnnpipe.runs.console import make_console
        from rnnpipe.runs.run import Run
        from rnnpipe.runs.stages import train_on_records
        from rnnpipe.tasks import make_task

        settings = load_config(config, overrides)
        directory = train_on_records(
            settings,
            make_task(settings),
            name=name or _name(config),
            runs_dir=_path("runs_dir", runs_dir),
            console=make_console(quiet=not verbose),
        )
        return Run(directory)


def resume(path: str | Path, *, evaluate: bool = True, verbose: bool = True) -> "Run":
    """Continues an interrupted run, which ends as it would have without the interruption.

    Args:
        path: its folder, or that of several: then the newest of those interrupted.
        evaluate: whether it is evaluated too when it is trained, as `run` does.
        verbose: whether progress and scores are printed.

    Raises:
        UserError: there is no such run, its records are missing or others, or another process
            trains it.
    """
    with requiring("train", "report", where="a run"):
        from rnnpipe.quiet import quiet_import
        from rnnpipe.runs.console import make_console
        from rnnpipe.runs.run import Run

        with quiet_import():
            from rnnpipe.runs.resume import resume

        console = make_console(quiet=not verbose)
        return Run(resume(_path("path", path), console, evaluate=evaluate))


def load(path: str | Path) -> "Run | Export":
    """A trained run, one whose training has not ended, with its best weights so far, or an export.

    Args:
        path: the folder of a run or an export, or that of several runs: then the newest that is
            trained, or, where none is, the newest whose first epoch is done.

    Raises:
        UserError: there is none.
    """
    with requiring("runs", where="a run"):
        from rnnpipe.runs.load import load_model

        return load_model(_path("path", path))


def compare(
    *runs: str | Path,
    split: str | None = None,
    output: str | Path | None = None,
    verbose: bool = True,
) -> "Comparison":
    """Compares evaluated runs of one task, the first one with each of the others.

    The main metric has 95 % confidence intervals, and so has its difference from that of the first
    run, by a paired bootstrap over the records that all runs have.

    Args:
        *runs: the folders of runs, of several runs: then the newest that is trained, or of
            evaluations of runs.
        split: the only split to compare; by default all that all runs were evaluated on.
        output: an HTML file for the page: scores, learning curves, where the runs disagree, and
            what differs between them. None writes no page.
        verbose: whether tables and notes are printed.

    Raises:
        UserError: there are fewer than two runs, one is damaged, not evaluated, of another task or
            there twice, they have no records in common, or `output` is no place for a page.
    """
    with requiring("runs", "report", where="a comparison"):
        from rnnpipe.runs.compare import check_page, compare_runs
        from rnnpipe.runs.console import make_console

        page = None if output is None else _path("output", output)
        if page is not None:
            check_page(page)
        paths = [_path("runs", run) for run in runs]
        comparison = compare_runs(paths, split, make_console(quiet=not verbose))
        if page is not None:
            comparison.write(page)
        return comparison


def sweep(
    config: "str | Path | RunConfig",
    space: "str | Path | Mapping[str, Any] | Space | None" = None,
    overrides: "Overrides | None" = None,
    *,
    trials: int = 20,
    jobs: int = 1,
    output: str | Path | None = None,
    verbose: bool = True,
) -> "Sweep":
    """Trains many runs of a config, with drawn settings or other seeds, and compares them.

    With a space, trials are trained, compared by the validation quantity of `train.keep_best`, and
    stopped early where others did better; the test split is not read. Without one, trials have the
    seeds from that of the config on, and are evaluated. Each trial is a process of its own. The
    same call goes on with a sweep that was interrupted, or adds trials to it.

    Args:
        config: a shipped config's name, the path of a YAML file, or a config.
        space: what is drawn, and how: the path of a YAML file, mappings, or a `Space`.
        overrides: values by dotted key, see `run`.
        trials: how many there are in the end.
        jobs: how many run at the same time, each with its share of the processors.
        output: the folder of the sweep; by default `sweeps/` and the config's name.
        verbose: whether progress and results are printed.

    Raises:
        UserError: the config, or the space, is not as it should be, or the config refuses values
            of it, the folder is another sweep's, or the first trials fail.
    """
    from rnnpipe.tasks.inputs import Input, integer

    with requiring("build", "train", "report", where="a sweep"):
        if space is not None:
            require("sweep", where="a sweep of settings")
        from rnnpipe.runs.console import make_console
        from rnnpipe.shipped import find_config
        from rnnpipe.sweeps.space import read_space
        from rnnpipe.sweeps.sweep import make_sweep

        name = _name(config)
        if isinstance(config, str | Path):
            config = find_config(_path("config", config))
        return make_sweep(
            config,
            () if overrides is None else overrides,
            None if space is None else read_space(space),
            trials=Input("trials", "how many", integer(1)).parse(str(trials)),
            jobs=Input("jobs", "how many at once", integer(1)).parse(str(jobs)),
            folder=Path("sweeps") / name if output is None else _path("output", output),
            console=make_console(quiet=not verbose),
        )


def _name(config: "str | Path | RunConfig") -> str:
    return Path(config).stem if isinstance(config, str | Path) else config.task


def _path(argument: str, path: str | Path) -> Path:
    return local_path(argument, path) if isinstance(path, str) else path
