"""The terminal: messages and tables for people."""

from importlib.util import find_spec
from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

from rnnpipe.output import escape_controls, naming_output


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True  # what is printed while the exception passes
        raise BrokenPipeError

    def render_str(self, text: str, **options: Any) -> Text:
        """Text of whatever is printed, also in tables: without control codes of the data."""
        return super().render_str(escape_controls(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Prints, and names the standard output where it cannot be written."""
        with naming_output():
            super().print(*objects, **options)


def make_console(*, quiet: bool = False, stderr: bool = False) -> Console:
    """A console for messages and tables.

    Text is printed as it is: brackets are no markup, `:smile:` is no emoji, and a line, which may
    end in a path, is never wrapped. Control characters are spelled out. Tables fit the terminal.

    In a notebook bars of progress move where `ipywidgets` is installed. Without it there is plain
    text, as in a file: rich would warn, and a notebook cannot move a cursor.

    Args:
        quiet: whether it prints nothing.
        stderr: whether it prints on the standard error, beside results on the standard output.
    """
    is_plain = Console().is_jupyter and find_spec("ipywidgets") is None
    return _Console(
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        quiet=quiet,
        stderr=stderr,
        force_jupyter=False if is_plain else None,
        force_terminal=False if is_plain else None,  # ipykernel says that it is one
    )
