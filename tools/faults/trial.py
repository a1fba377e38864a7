"""One trial: a command on a subject, disturbed, judged and repeated."""

import random
import re
import shlex
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools.faults.child import Ending, run_command
from tools.faults.commands import COMMANDS, Command, find_commands
from tools.faults.moments import FileEvents
from tools.faults.oracle import (
    Reference,
    Wrong,
    check_ending,
    check_names,
    check_result,
    find_temporary,
    list_names,
)
from tools.faults.subjects import Subject, remove

_CONTINUE = re.compile(r"continue with `rnnpipe ([^`]+)`")


@dataclass
class Trial:
    """One trial.

    Args:
        name: of the trial, from which all that is drawn follows.
        subject: what it is made on.
        references: commands without faults, by name; those that are missing are added.
        commands: those that may be drawn, as far as a kind of trial has some of them.
        what: what was done, for people.
    """

    name: str
    subject: Subject
    references: dict[str, Reference]
    commands: frozenset[str] = COMMANDS
    what: str = ""
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.name)

    @property
    def folder(self) -> Path:
        """That of the subject."""
        return self.subject.folder

    def draw_command(self, *names: str) -> Command:
        """One of some commands; what it reads is there."""
        name = self.rng.choice([name for name in names if name in self.commands] or names)
        self.subject.prepare(())  # inputs name files of it
        command = find_commands(self.subject)[name]
        # An export is made of the run.
        self.subject.prepare(
            ["runs/trained", *command.reads] if "export" in name else command.reads
        )
        return command

    def reference(self, command: Command) -> Reference:
        """The command without a fault; its subject is whole again afterwards."""
        key = f"{self.subject.task} {command.name}"
        if key not in self.references:
            self.restore(command)
            ending = self.run(command, FileEvents(self.folder).install)
            self.references[key] = Reference.of(self.subject, command, ending)
        self.restore(command)
        return self.references[key]

    def restore(self, command: Command) -> None:
        """Makes the subject whole, but for what the command is to build."""
        self.subject.restore(command.reads)
        if command.builds:
            remove(self.folder / command.made)

    def run(
        self,
        command: Command,
        prepare: Callable[[], object] = lambda: None,
        disturb: Callable[[int], object] = lambda pid: None,
    ) -> Ending:
        """Runs the command."""
        return run_command(command.arguments, self.folder, prepare=prepare, disturb=disturb)

    def check_finished(self, command: Command, ending: Ending) -> None:
        """Checks what a command that ended with success gave, and that nothing else is there.

        Raises:
            Wrong: something is.
        """
        reference = self.reference_of(command)
        check_result(command.read_result(self.folder, ending), reference.result)
        check_names(list_names(self.folder), reference.names)

    def reference_of(self, command: Command) -> Reference:
        """The command without a fault, which was run before."""
        return self.references[f"{self.subject.task} {command.name}"]

    def check_cleaned(self) -> None:
        """Checks that a command that ended by itself left no temporary files.

        Raises:
            Wrong: there are some.
        """
        if left := find_temporary(self.folder):
            raise Wrong(f"left behind: {', '.join(left[:5])}")

    def check_repeated(self, command: Command, ending: Ending) -> None:
        """Repeats a command that was stopped, as its message says, and checks what it gives.

        Raises:
            Wrong: it gives something else, or something is left behind.
        """
        if self._is_finished(command):
            if ending.code == -signal.SIGKILL:  # whose temporary files the next command removes
                run_command(["config", *self.subject.config], self.folder)
            check_names(list_names(self.folder), self.reference_of(command).names)
            return
        again = run_command(self._next(command, ending), self.folder)
        try:
            check_ending(again, (0,))
            self.check_finished(command, again)
        except Wrong as wrong:
            raise Wrong(f"repeated: {wrong}") from None

    def _is_finished(self, command: Command) -> bool:
        """Whether a command was stopped after its work: many refuse to do it twice."""
        expected = self.reference_of(command).result
        return bool(command.made) and command.read_result(self.folder) == expected

    def _next(self, command: Command, ending: Ending) -> list[str]:
        """The arguments by which the command is repeated."""
        if named := _CONTINUE.search(ending.errors):
            return shlex.split(named[1])
        if command.name == "run":
            for config in self.folder.glob("new/*/*/config.yaml"):
                return ["resume", str(config.parent)]
        return command.arguments
