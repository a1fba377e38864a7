"""The command line: parse, call the API, print."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rnnpipe import api
from rnnpipe.arguments import make_parser
from rnnpipe.errors import UserError
from rnnpipe.output import write_output
from rnnpipe.program import run_program
from rnnpipe.quiet import log_errors_only
from rnnpipe.requirements import requiring
from rnnpipe.storage.disk_full import report_full_disk
from rnnpipe.storage.paths import local_path
from rnnpipe.storage.temporary import collecting_temporary_files

if TYPE_CHECKING:
    from rnnpipe.runs.run import Run

# Everything else is imported by the verb that needs it: `rnnpipe --help` must answer at once.

_PATHS = {"config": "CONFIG", "run": "RUN", "runs_dir": "--runs-dir", "output": "--output"}
"""The arguments that are paths of this machine; records and raw data may be in an object store."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code, see `run_program`.

    `predict` and `score` return 1 where some of many rows have no result.
    """
    arguments, beam_args = _split(sys.argv[1:] if argv is None else list(argv))
    parser = make_parser()
    options = parser.parse_args(arguments)
    if beam_args and options.verb not in ("run", "build", "predict"):
        parser.error(
            f"{options.verb}: options after `--` are Beam's; only run, build and predict take them"
        )
    options.beam_args = beam_args
    log_errors_only()
    return run_program(lambda: _act(options))


def _act(options: argparse.Namespace) -> int | None:
    verb = _VERBS[options.verb]
    for name, label in _PATHS.items():
        if isinstance(path := getattr(options, name, None), str):
            setattr(options, name, local_path(label, path))
    with (
        collecting_temporary_files(),
        report_full_disk("what is written", None, "make room, and run the same command again"),
        requiring(*verb.extras, where=f"rnnpipe {options.verb}"),
    ):
        return verb.act(options)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those after `--`, which are Beam's."""
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _init(options: argparse.Namespace) -> None:
    from rnnpipe.shipped import list_configs, shipped_config, summarize_config

    if options.name is not None:
        write_output(shipped_config(options.name).read_text(encoding="utf-8"))
        return
    names = list_configs()
    width = max(map(len, names))
    for name in names:
        write_output(f"{name:{width}}  {summarize_config(name)}\n")


def _run(options: argparse.Namespace) -> None:
    api.run(
        options.config, options.overrides, runs_dir=options.runs_dir, beam_args=options.beam_args
    )


def _build(options: argparse.Namespace) -> None:
    api.build(options.config, options.overrides, beam_args=options.beam_args)


def _train(options: argparse.Namespace) -> None:
    api.train(options.config, options.overrides, runs_dir=options.runs_dir)


def _resume(options: argparse.Namespace) -> None:
    api.resume(options.run)


def _evaluate(options: argparse.Namespace) -> None:
    _load_run(options).evaluate(options.overrides)


def _sweep(options: argparse.Namespace) -> None:
    api.sweep(
        options.config,
        options.space,
        options.overrides,
        trials=options.seeds or options.trials,
        jobs=options.jobs,
        output=options.output,
    )


def _compare(options: argparse.Namespace) -> None:
    api.compare(*options.runs, split=options.split, output=options.output)
    write_output(f"Page: {options.output}\n")


def _predict(options: argparse.Namespace) -> int:
    from rnnpipe.predictors.command import predict

    return predict(options.model, options.inputs, options.beam_args)


def _score(options: argparse.Namespace) -> int:
    from rnnpipe.predictors.score_command import score

    return score(_load_run(options), options.run, options.inputs)


def _export(options: argparse.Namespace) -> None:
    _load_run(options).export(
        options.format,
        options.output,
        quantize=options.quantize,
        text_in_graph=options.text_in_graph,
    )


def _load_run(options: argparse.Namespace) -> "Run":
    from rnnpipe.runs.run import Run

    run = api.load(options.run)
    if not isinstance(run, Run):
        raise UserError(str(options.run), "the folder of a run", "an export", "name its run")
    return run


def _config(options: argparse.Namespace) -> None:
    import json

    from rnnpipe.config.dump import dump_config
    from rnnpipe.config.loader import json_schema
    from rnnpipe.tasks import find_schemas

    if options.schema:
        if options.config is not None or options.overrides:
            got, fix = "a config too", "ask for one of the two"
            raise UserError("--schema", "no CONFIG and no --set", got, fix)
        write_output(json.dumps(json_schema(find_schemas()), indent=2) + "\n")
    elif options.config is None:
        raise UserError("rnnpipe config", "a CONFIG or --schema", "neither", "name a YAML file")
    else:
        write_output(dump_config(api.load_config(options.config, options.overrides)))


def _inspect(options: argparse.Namespace) -> None:
    from rnnpipe.runs.console import make_console
    from rnnpipe.runs.inspect import inspect_records
    from rnnpipe.storage.paths import as_path
    from rnnpipe.tasks.inputs import Input, integer

    examples = Input("examples", "records to show", integer(0)).parse(options.examples)
    inspect_records(as_path(options.directory), examples, make_console(), check=options.check)


class _Verb(NamedTuple):
    """What a verb does, and the extras that it needs; those of the API check themselves."""

    act: Callable[[argparse.Namespace], int | None]
    extras: tuple[str, ...] = ()


_VERBS = {
    "init": _Verb(_init),
    "config": _Verb(_config, ("runs",)),
    "run": _Verb(_run),
    "build": _Verb(_build),
    "train": _Verb(_train),
    "resume": _Verb(_resume),
    "evaluate": _Verb(_evaluate),
    "sweep": _Verb(_sweep),
    "compare": _Verb(_compare),
    "predict": _Verb(_predict, ("runs",)),
    "score": _Verb(_score, ("train",)),
    "export": _Verb(_export, ("train",)),
    "inspect": _Verb(_inspect, ("runs",)),
}


if __name__ == "__main__":
    sys.exit(main())
