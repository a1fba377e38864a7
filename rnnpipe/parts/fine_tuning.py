"""How the layers of a model that has been trained before are trained further."""

from rnnpipe.errors import UserError
from rnnpipe.settings import Settings, setting


class FineTuningOptions(Settings):
    """Groups of layers with rates of their own, trained one after the other from the top.

    Discriminative fine-tuning and gradual unfreezing (Howard & Ruder 2018, sections 3.2 and 3.3).

    Example:
        >>> options = FineTuningOptions(groups=("embedding", "recurrence"))
        >>> [round(factor, 2) for factor in options.factors], options.delays
        ([0.15, 0.38, 1.0], [2, 1, 0])
    """

    groups: tuple[str, ...] = setting(
        help="layers or groups of layers from the lowest up, by the names that train.start.parts "
        "has; several of one group with + between them; what is not named is the highest group",
        min_length=1,
    )
    rate_divisor: float = setting(
        2.6, "how many times lower the rate of each group is than that of the next higher one", ge=1
    )
    rates: tuple[float, ...] = setting(
        (),
        "in place of rate_divisor: the share of the learning rate that each of the groups has; "
        "0: it stays as it is",
    )
    unfreeze_every: int = setting(
        1, "epochs before the next lower group is trained too; 0: all are trained at once", ge=0
    )
    unfreeze_after: tuple[int, ...] = setting(
        (), "in place of unfreeze_every: how many epochs each of the groups stays as it is"
    )

    def check(self) -> None:
        """Lists have a number for each group, and no part is named twice."""
        parts = [part for group in self.parts for part in group]
        if not all(parts) or len(set(parts)) < len(parts):
            got, fix = str(list(self.groups)), "write e.g. [embedding, recurrence]"
            raise UserError("groups", "names of layers, each once", got, fix)
        for name in ("rates", "unfreeze_after"):
            values = getattr(self, name)
            if values and (len(values) != len(self.groups) or min(values) < 0):
                expected = f"a number from 0 for each of the {len(self.groups)} groups"
                fix = f"write e.g. {[0] * len(self.groups)}, or leave it out"
                raise UserError(name, expected, str(list(values)), fix)
        if self.rates:
            self.require_default("rate_divisor", "with rates")
        if self.unfreeze_after:
            self.require_default("unfreeze_every", "with unfreeze_after")

    @property
    def parts(self) -> list[list[str]]:
        """The names of layers in each group."""
        return [[part.strip() for part in group.split("+")] for group in self.groups]

    @property
    def factors(self) -> list[float]:
        """The share of the learning rate that each group has; the highest group is the last."""
        if self.rates:
            return [*self.rates, 1.0]
        count = len(self.groups)
        return [self.rate_divisor ** (number - count) for number in range(count + 1)]

    @property
    def delays(self) -> list[int | None]:
        """How many epochs each group stays as it is; None: always."""
        count = len(self.groups)
        after = self.unfreeze_after or [
            self.unfreeze_every * (count - number) for number in range(count)
        ]
        pairs = zip(self.factors, [*after, 0], strict=True)
        return [delay if factor else None for factor, delay in pairs]

    @property
    def last_delay(self) -> int:
        """After how many epochs all groups are trained that ever are."""
        return max(delay for delay in self.delays if delay is not None)

    def check_epochs(self, epochs: int) -> None:
        """Checks that every group is trained.

        Args:
            epochs: of the training.

        Raises:
            UserError: it ends before one is; `where` is the key alone.
        """
        if self.last_delay >= epochs:
            key = "unfreeze_after" if self.unfreeze_after else "unfreeze_every"
            expected = f"all groups trained before the last of {epochs} epochs has begun"
            got = f"one that waits for {self.last_delay}"
            raise UserError(key, expected, got, "lower it, or raise train.epochs")
