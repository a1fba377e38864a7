"""One command of a trial as a process of its own: `python -m rnnpipe.sweeps.child VERB …`.

It ends, as after SIGTERM, when the process that began it has ended: its standard input is closed
then.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from rnnpipe.config.loader import load_config
from rnnpipe.program import run_program
from rnnpipe.quiet import log_errors_only, quiet_import
from rnnpipe.runs.console import make_console
from rnnpipe.storage.temporary import collecting_temporary_files
from rnnpipe.tasks import find_schemas, make_task
from rnnpipe.tasks.run_config import RunConfig


def main(verb: str, *arguments: str) -> int:
    """Runs a verb and returns its exit code, see `run_program`.

    Args:
        verb: `build`, `train` or `run` of a config; `resume` or `resume-training` of a run.
        *arguments: the file of the config, and for `train` and `run` the folder of all runs; or
            the folder of the run.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    log_errors_only()
    act = _resume if verb.startswith("resume") else _begin

    def run() -> None:
        with collecting_temporary_files():
            act(verb, *map(Path, arguments))

    return run_program(run)


def _begin(verb: str, path: Path, runs_dir: Path = Path()) -> None:
    from rnnpipe.runs.build import build_records
    from rnnpipe.runs.stages import run_stages, train_on_records

    config: RunConfig = load_config(path, find_schemas())
    with quiet_import():
        task = make_task(config)
    console = make_console()
    if verb == "build":
        build_records(config, task, console)
    else:
        act = run_stages if verb == "run" else train_on_records
        act(config, task, name=path.stem, runs_dir=runs_dir, console=console)


def _resume(verb: str, path: Path) -> None:
    with quiet_import():
        from rnnpipe.runs.resume import resume

    resume(path, make_console(), evaluate=verb == "resume")


def _end_with_parent() -> None:
    while os.read(0, 1):  # not by `sys.stdin`, whose lock the interpreter needs at its end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
