"""Beam's options after `--`: is each of them known to somebody?"""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.portability.api import beam_job_api_pb2 as messages
from apache_beam.runners.portability.portable_runner import PortableRunner
from apache_beam.runners.runner import create_runner

from rnnpipe.errors import UserError

_WHERE = "options after `--`"
_ALIKE = 0.75  # what is worth a suggestion; 1 is the same
_SLIP = 0.92  # nearer to Beam's own than any that Flink's and Spark's job servers add to them


def check_options(args: Sequence[str], more: Iterable[str] | None = ()) -> None:
    """Refuses options that nobody takes: Beam would discard them, and say nothing.

    Args:
        args: the options, e.g. `--flink_master=localhost:8081`. Of Beam's own those count that are
            imported: whoever brings a runner has its options in the same module.
        more: the names of those that a runner takes beside Beam's own, without dashes. None: they
            are not known, so that only what looks like a slip is refused.

    Raises:
        UserError: nobody takes an option, or not with this value.
    """

    def check(parser: Any) -> None:
        parser.error = _refuse
        known = parser._option_string_actions
        for option in (f"--{name}" for name in more or ()):
            if option not in known:
                parser.add_argument(option, nargs="?")
        _, unknown = parser.parse_known_args(list(args))
        for name in (arg.partition("=")[0] for arg in unknown):
            like = difflib.get_close_matches(name, known, 1, _SLIP if more is None else _ALIKE)
            if like or more is not None:
                fix = f"did you mean {like[0]}?" if like else "mend it or leave it out"
                raise UserError(_WHERE, "options that Beam and its runner know", name, fix)

    PipelineOptions([]).get_all_options(add_extra_args_fn=check)


def import_runner(args: Sequence[str]) -> None:
    """Imports the runner that the options name, and the options that it brings.

    Raises:
        UserError: there is none of that name, or it lacks what it needs.
    """
    name = PipelineOptions(list(args)).view_as(StandardOptions).runner
    try:
        create_runner(name)
    except (ValueError, ImportError, AttributeError) as fault:
        expected, got = "a runner that Beam can import", " ".join(str(fault).split())
        raise UserError(f"--runner {name}", expected, got, "mend it or install it") from fault


def check_with_server(runner: Any, args: Sequence[str]) -> None:
    """Has the options checked once a job server is there, which says what it takes beside Beam's.

    Args:
        runner: Beam's; one that speaks with no job server stays as it is.
        args: the options.
    """
    if not isinstance(runner, PortableRunner):
        return
    create = runner.create_job_service_handle

    def create_checked(service: Any, options: PipelineOptions) -> Any:
        handle, request = create(service, options), messages.DescribePipelineOptionsRequest()
        described = service.DescribePipelineOptions(request, timeout=handle.timeout).options
        # One that names none takes them all to a place where somebody else knows them.
        check_options(args, [option.name for option in described] or None)
        return handle

    runner.create_job_service_handle = create_checked


def _refuse(message: str) -> NoReturn:
    raise UserError(_WHERE, "values that Beam takes", message, "mend it")
