"""What a training does whose loss is not finite."""

from rnnpipe.settings import Settings, setting


class RollbackOptions(Settings):
    """Back to the last good state with a lower learning rate, in the place of an early end.

    Example:
        >>> RollbackOptions(factor=0.3).times
        3
    """

    factor: float = setting(0.5, "what the learning rate is multiplied by each time", gt=0, lt=1)
    times: int = setting(3, "how often a training goes back at most", ge=1)
