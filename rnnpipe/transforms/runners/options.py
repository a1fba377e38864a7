"""Checks Beam's options (those after `--`): each must be known to Beam or to its runner."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.portability.api import beam_job_api_pb2 as messages
from apache_beam.runners.portability.portable_runner import PortableRunner
from apache_beam.runners.runner import create_runner

from rnnpipe.errors import UserError

_WHERE = "options after `--`"
_SIMILAR = 0.75  # similarity of a suggestion; 1 is equal
_TYPO = 0.92  # nearer to Beam's own than any that Flink's and Spark's job servers add to them


def check_options(args: Sequence[str], more: Iterable[str] | None = ()) -> None:
    """Refuses unknown options: Beam would discard them silently.

    Args:
        args: the options, e.g. `--flink_master=localhost:8081`. Of Beam's own those count that are
            imported: a runner's options are in the module of the runner.
        more: the names of those that a runner takes beside Beam's own, without dashes. None: they
            are not known, so that only likely typing errors are refused.

    Raises:
        UserError: an option is unknown, or its value is invalid.
    """

    def check(parser: Any) -> None:
        parser.error = _refuse
        known = parser._option_string_actions
        for option in (f"--{name}" for name in more or ()):
            if option not in known:
                parser.add_argument(option, nargs="?")
        _, unknown = parser.parse_known_args(list(args))
        for name in (arg.partition("=")[0] for arg in unknown):
            like = difflib.get_close_matches(name, known, 1, _TYPO if more is None else _SIMILAR)
            if like or more is not None:
                fix = f"did you mean {like[0]}?" if like else "correct it or leave it out"
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
        raise UserError(f"--runner {name}", expected, got, "correct it or install it") from fault


def check_with_server(runner: Any, args: Sequence[str]) -> None:
    """Checks the options when a job server is connected, which lists its own options.

    Args:
        runner: Beam's; one without a job server is not changed.
        args: the options.
    """
    if not isinstance(runner, PortableRunner):
        return
    create = runner.create_job_service_handle

    def create_checked(service: Any, options: PipelineOptions) -> Any:
        handle, request = create(service, options), messages.DescribePipelineOptionsRequest()
        described = service.DescribePipelineOptions(request, timeout=handle.timeout).options
        # A server that lists none forwards all of them.
        check_options(args, [option.name for option in described] or None)
        return handle

    runner.create_job_service_handle = create_checked


def _refuse(message: str) -> NoReturn:
    raise UserError(_WHERE, "values that Beam takes", message, "correct it")
