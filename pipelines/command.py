"""What the command lines of all pipelines have in common."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from rich.console import Console

from rnnpipe.errors import UserError
from rnnpipe.records.metadata import import_datasets
from rnnpipe.runs.console import make_console
from rnnpipe.runs.progress import BuildProgress
from rnnpipe.runs.summary import print_summary
from rnnpipe.sources.source import Source
from rnnpipe.storage.paths import as_path
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.recipes.base import Recipe
from rnnpipe.transforms.runners.runner import Runner
from rnnpipe.transforms.runners.s3_options import use_s3_options

MakeBuild = Callable[[argparse.Namespace], tuple[Source, Recipe]]


def make_parser(program: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that every build has.

    Args:
        program: the pipeline's module.
        description: what it does, with examples.
    """
    defaults = Build.__dataclass_fields__
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--output", type=as_path, required=True, help="the records directory to write")
    add("--validation", type=share, default=0.1, help="share held out (default: %(default)s)")
    add("--test", type=share, default=0.1, help="share held out (default: %(default)s)")
    add("--records-per-shard", type=count, default=defaults["records_per_shard"].default)
    add("--max-bad-fraction", type=float, default=defaults["max_bad_fraction"].default)
    add("--workers", type=count, default=1, help="local worker processes (default: %(default)s)")
    return parser


def count(argument: str) -> int:
    """An option's whole number of at least 1.

    Example:
        >>> count("20")
        20
    """
    with suppress(ValueError):
        if (number := int(argument)) >= 1:
            return number
    raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {argument}")


def share(argument: str) -> float:
    """An option's number of at least 0 and below 1.

    Example:
        >>> share("0.1")
        0.1
    """
    with suppress(ValueError):
        if 0 <= (number := float(argument)) < 1:
            return number
    raise argparse.ArgumentTypeError(f"expected a number of at least 0 and below 1, got {argument}")


def shares_of(options: argparse.Namespace) -> dict[str, float]:
    """The shares to hold out, by split; a split with a share of 0 is not made.

    Raises:
        UserError: they leave nothing to train on.
    """
    shares = {"validation": options.validation, "test": options.test}
    if sum(shares.values()) >= 1:
        got, fix = f"{options.validation:g} and {options.test:g}", "make them smaller"
        raise UserError("--validation, --test", "shares of less than 1 together", got, fix)
    return {split: share for split, share in shares.items() if share}


def run(
    program: str, parser: argparse.ArgumentParser, make: MakeBuild, argv: Sequence[str] | None
) -> int:
    """Runs the build of a command line and returns the exit code: 0, or 2 for a user's mistake.

    It is 130 where the keyboard ends it.

    Args:
        program: the pipeline's module, for messages.
        parser: of the options before `--`; those after it are Beam's.
        make: makes the source and the recipe of the options.
        argv: the command line.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    at = arguments.index("--") if "--" in arguments else len(arguments)
    options, beam_args = parser.parse_args(arguments[:at]), arguments[at + 1 :]
    try:
        runner = Runner(options.workers, beam_args)
        runner.check()
        use_s3_options(beam_args)
        source, recipe = make(options)
        source.prepare(lambda done, total: None)
        _build(source, recipe, options, runner)
    except UserError as fault:
        print(f"{program}: {fault}", file=sys.stderr)
        return 2
    except OSError as fault:
        if fault.filename is None:
            raise
        print(f"{program}: {fault.filename}: {fault.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return 130
    return 0


def _build(source: Source, recipe: Recipe, options: argparse.Namespace, runner: Runner) -> None:
    build = Build(
        source,
        recipe,
        shares=shares_of(options),
        records_per_shard=options.records_per_shard,
        max_bad_fraction=options.max_bad_fraction,
    )
    if build.is_finished_in(options.output):
        print(f"{options.output} holds these records already")
        return
    import_datasets()  # before the progress has a thread
    with BuildProgress(Console(stderr=True)) as progress:
        records = build.run(options.output, runner=runner, progress=progress)
    print_summary(records, make_console())
