"""When the state of a training is written, from which an interrupted one goes on."""

from rnnpipe.settings import Settings, setting


class CheckpointOptions(Settings):
    """How often the state of a training is written within an epoch; when one begins it always is.

    Example:
        >>> CheckpointOptions(every_steps=500).every_minutes
        10.0
    """

    every_minutes: float | None = setting(
        10.0, "minutes of an epoch after which the state is written; null: none", gt=0
    )
    every_steps: int | None = setting(
        None, "steps of an epoch after which the state is written; null: none", ge=1
    )
    keep: int = setting(
        2, "last states that are kept: where one is damaged, the one before it is used", ge=1
    )
