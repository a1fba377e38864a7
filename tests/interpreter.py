"""Python processes beside that of the tests, each started once: to import Keras takes seconds."""

import json
import os
import subprocess
import sys

_SERVE = """
import json, os, sys, traceback
replies = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what a source prints is no reply
for line in sys.stdin:
    source, *sys.argv[1:] = json.loads(line)
    fault = ""
    try:
        exec(compile(source, "<source>", "exec"), {"__name__": "__main__"})
    except BaseException:
        fault = traceback.format_exc()
    print(json.dumps(fault), file=replies, flush=True)
"""


_QUICK_TO_COMPILE = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


class Interpreter:
    """A process that runs one source after another, each with names of its own.

    Args:
        backend: of Keras in it.
    """

    def __init__(self, backend: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={
                **os.environ,
                "KERAS_BACKEND": backend,
                "XLA_FLAGS": _QUICK_TO_COMPILE,
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
        )

    def run(self, source: str, *arguments: str) -> None:
        """Runs a source to its end; `sys.argv[1:]` are the arguments.

        Raises:
            AssertionError: it raised.
        """
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps([source, *arguments]), file=self._process.stdin, flush=True)
        reply = self._process.stdout.readline()
        assert reply, f"the process ended with {self._process.wait()}"
        fault = json.loads(reply)
        assert not fault, fault

    def close(self) -> None:
        """Ends the process, whose own way out takes seconds."""
        with self._process as process:
            process.kill()
