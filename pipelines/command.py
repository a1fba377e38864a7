"""The command line of a pipeline: a flag for each setting of its data and of its build."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, get_args, get_type_hints

from rich.console import Console

from rnnpipe.config.loader import load_flags
from rnnpipe.errors import UserError
from rnnpipe.records.metadata import import_datasets
from rnnpipe.runs.console import make_console
from rnnpipe.runs.progress import BuildProgress
from rnnpipe.runs.summary import print_summary
from rnnpipe.settings import Settings
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.options import BuildOptions, Data
from rnnpipe.transforms.runners.runner import Runner
from rnnpipe.transforms.runners.s3_options import use_s3_options


def run(program: str, description: str | None, data: type[Data], argv: Sequence[str] | None) -> int:
    """Runs the build of a command line and returns the exit code: 0, or 2 for a user's mistake.

    It is 130 where the keyboard interrupts it.

    Args:
        program: the pipeline's module, for messages.
        description: what it does, with examples.
        data: the settings of its data; a flag is a key of `data` or `build` in a config.
        argv: the command line; options after `--` are Beam's own.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    at = arguments.index("--") if "--" in arguments else len(arguments)
    ours, beam_args = arguments[:at], arguments[at + 1 :]
    parser = _make_parser(program, description, data)
    flags = [f"{name}={value}" for name, value in vars(parser.parse_args(ours)).items()]
    try:
        split = [_select(flags, settings) for settings in (data, BuildOptions)]
        raw, build = load_flags(data, split[0]), load_flags(BuildOptions, split[1])
        runner = Runner(build.workers, beam_args)
        runner.check()
        use_s3_options(beam_args)
        _build(raw, build, runner)
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


def _build(data: Data, options: BuildOptions, runner: Runner) -> None:
    if data.directory is None:
        raise UserError("--directory", "the records directory to write", "nothing", "name one")
    source = data.open_source()
    source.prepare(lambda done, total: None)
    build = Build(
        source,
        data.make_recipe(),
        data.splits.shares,
        records_per_shard=options.records_per_shard,
        max_bad_fraction=options.max_bad_fraction,
    )
    if build.is_finished_in(data.directory):
        print(f"{data.directory} holds these records already")
        return
    import_datasets()  # before the progress has a thread
    with BuildProgress(Console(stderr=True)) as progress:
        records = build.run(data.directory, runner=runner, progress=progress)
    print_summary(records, make_console())


def _make_parser(
    program: str, description: str | None, data: type[Data]
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    flags = [*_list_flags(data), *_list_flags(BuildOptions)]
    for name, help_text in dict(reversed(flags)).items():
        parser.add_argument(f"--{name}", dest=name, metavar="VALUE", help=help_text)
    return parser


def _select(flags: list[str], settings: type[Settings]) -> list[str]:
    keys = {declared.name for declared in fields(settings)}  # type: ignore[arg-type]
    return [flag for flag in flags if flag.partition("=")[0].partition(".")[0] in keys]


def _list_flags(settings: type[Settings], above: str = "") -> Iterator[tuple[str, str]]:
    """The name and help of each setting, from here on; of a family those of all its kinds."""
    hints = get_type_hints(settings)
    for declared in fields(settings):  # type: ignore[arg-type]  # subclasses are dataclasses
        name = f"{above}{declared.name}"
        section = _section_of(hints[declared.name])
        if section is None:
            yield name, _describe(declared)
        elif kinds := section.__dict__.get("kinds"):
            members = kinds.load()
            yield f"{name}.kind", f"one of {', '.join(members)}"
            for kind, member in members.items():
                for flag, text in _list_flags(member, f"{name}."):
                    if flag != f"{name}.kind":
                        yield flag, f"of {kind}: {text}"
        else:
            yield from _list_flags(section, f"{name}.")


def _section_of(hint: Any) -> type[Settings] | None:
    members = [member for member in get_args(hint) or (hint,) if member is not type(None)]
    (section, *others) = members
    is_section = not others and isinstance(section, type) and issubclass(section, Settings)
    return section if is_section else None


def _describe(declared: Field[Any]) -> str:
    text = declared.metadata.get("description") or ""
    if declared.default is not MISSING and declared.default is not None:
        text = f"{text} (default: {declared.default})".strip()
    return text.replace("%", "%%")
