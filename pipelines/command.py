"""The command line of a pipeline: a flag for each setting of its data and of its build."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rnnpipe.errors import UserError
from rnnpipe.pipelines.flags import make_parser, read_flags
from rnnpipe.program import run_program
from rnnpipe.requirements import requiring
from rnnpipe.storage.temporary import collecting_temporary_files
from rnnpipe.transforms.options import BuildOptions, Data

if TYPE_CHECKING:
    from rnnpipe.transforms.runners.runner import Runner

# Beam, TensorFlow and pydantic are imported when they are needed: `--help` answers at once.


def run(program: str, description: str | None, data: type[Data], argv: Sequence[str] | None) -> int:
    """Runs the build of a command line and returns the exit code, see `run_program`.

    Args:
        program: the pipeline's module, for messages.
        description: what it does, with examples.
        data: the settings of its data; a flag is a key of `data` or `build` in a config.
        argv: the command line; options after `--` are Beam's own.
    """
    ours, beam_args = split_arguments(argv)
    settings = type("PipelineOptions", (BuildOptions, data), {"__doc__": "All settings."})
    flags = read_flags(make_parser(program, description, settings), ours)

    def act() -> None:
        with collecting_temporary_files(), requiring("build", *data.extras, where=program):
            _build(_read_settings(settings, flags), beam_args)

    return run_program(act, program)


def split_arguments(argv: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Our own arguments of a command line, and those after `--`, which are Beam's."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _read_settings(settings: type[Any], flags: Sequence[str]) -> Any:
    from rnnpipe.config.loader import load_flags

    options = load_flags(settings, flags)
    if options.directory is None:
        fix = "add --directory"
        raise UserError("--directory", "the records directory to write", "nothing", fix)
    return options


def _build(options: Any, beam_args: Sequence[str]) -> None:
    """Builds the records of settings that are those of the data and of the build."""
    from rnnpipe.records.metadata import import_datasets
    from rnnpipe.runs.build import reuse_records
    from rnnpipe.runs.console import make_console
    from rnnpipe.runs.progress import BuildProgress
    from rnnpipe.runs.summary import print_summary
    from rnnpipe.transforms.build import Build

    runner = _make_runner(options.workers, beam_args)
    source = options.open_source()
    source.prepare(lambda done, total: None)
    build = Build(
        source,
        options.make_recipe(),
        options.splits.shares,
        records_per_shard=options.records_per_shard,
        max_bad_fraction=options.max_bad_fraction,
    )
    console = make_console(stderr=True)
    with BuildProgress(console) as progress:
        finished = reuse_records(build, options.directory, console, progress)
    if finished is not None:
        make_console().print(f"{options.directory} holds these records already")
        return
    import_datasets()  # before the progress has a thread
    with BuildProgress(console) as progress:
        records = build.run(options.directory, runner=runner, progress=progress)
    print_summary(records, make_console())


def _make_runner(workers: int, beam_args: Sequence[str]) -> "Runner":
    from rnnpipe.transforms.runners.runner import Runner
    from rnnpipe.transforms.runners.s3_options import use_s3_options

    runner = Runner(workers, beam_args)
    runner.check()
    use_s3_options(beam_args)
    return runner
