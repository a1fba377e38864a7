"""Which questions to ask, so that no question gives its answer away."""

import random
from collections import Counter, defaultdict

from rnnpipe.sources.generated.shapes.questions import QUESTION_TYPES, Question


class Balance:
    """Picks questions such that every type is asked equally often and, of every text, every answer.

    It remembers what it picked: the questions of a scene depend on the scenes before it, and on
    none after it.
    """

    def __init__(self) -> None:
        self._types: Counter[str] = Counter()
        self._answers: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def pick(
        self, questions: dict[str, list[Question]], count: int, rng: random.Random
    ) -> list[Question]:
        """Up to `count` of the questions that can be asked about a scene, each once.

        Args:
            questions: what can be asked, by question type.
            count: how many to ask; fewer are picked where the scene has no more.
            rng: breaks ties.
        """
        pools = {kind: rng.sample(pool, len(pool)) for kind, pool in questions.items() if pool}
        picked: list[Question] = []
        while pools and len(picked) < count:
            kind = min(pools, key=lambda kind: (self._types[kind], [*QUESTION_TYPES].index(kind)))
            best = min(pools[kind], key=self._excess)
            pools[kind].remove(best)
            if not pools[kind]:
                del pools[kind]
            self._note(best)
            picked.append(best)
        return picked

    def _excess(self, question: Question) -> tuple[int, int]:
        """How much oftener than the rarest its answer was given to its text, and to its wording."""
        of_text, of_wording = self._answers[question.text], self._answers[question.wording]
        return (
            of_text[question.answer] - min(of_text[choice] for choice in question.choices),
            of_wording[question.answer] - min(of_wording[choice] for choice in question.choices),
        )

    def _note(self, question: Question) -> None:
        self._types[question.type] += 1
        self._answers[question.text][question.answer] += 1
        self._answers[question.wording][question.answer] += 1
