"""That there is something to score: the mean of nothing is no number."""

from collections.abc import Sized

from rnnpipe.errors import UserError


def check_some(what: str, values: Sized) -> None:
    """Checks that there is at least one value.

    Args:
        what: the argument, for the message.
        values: what is to be scored.

    Raises:
        UserError: there is none.
    """
    if not len(values):
        raise UserError(what, "at least one", "none", "name a split that has records")
