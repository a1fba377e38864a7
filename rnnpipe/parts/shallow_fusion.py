"""A language model that takes part in a search."""

from rnnpipe.errors import UserError
from rnnpipe.settings import FilePath, Settings, setting
from rnnpipe.storage.paths import has_scheme


class ShallowFusionOptions(Settings):
    """A language model that takes part in a search (shallow fusion, Gulcehre et al. 2015).

    score(Y) = log P(Y | X) + λ log P_LM(Y) + β |Y|
    """

    run: FilePath = setting(
        help="the folder of a trained run of the task language_model with data.tokenizer, or of "
        "several: the newest"
    )
    weight: float = setting(0.3, "λ, how much the language model counts", gt=0)
    length_bonus: float = setting(
        0.0,
        "β, nats for each token but the end token, which make up for what a language model takes "
        "(Hannun 2014)",
    )

    def check(self) -> None:
        """Runs are on this machine."""
        if has_scheme(str(self.run)):
            fix = "copy the run to this machine"
            raise UserError("run", "a folder of this machine", "an object store", fix)

    def normalize(self, score: float, tokens: int) -> float:
        """The log-probability of a sequence from its score, log P + λ log P_LM + β |Y|.

        It is that of the weighted geometric mean of both models' probabilities.

        Args:
            score: of the sequence, in nats.
            tokens: how many it has, without the end token.
        """
        return (score - self.length_bonus * tokens) / (1 + self.weight)
