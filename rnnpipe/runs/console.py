"""The terminal that stages write to."""

from rich.console import Console


def make_console() -> Console:
    """A console on the standard output that prints text as it is: brackets are no markup."""
    return Console(highlight=False, markup=False)
