"""A predictor without a network: it answers a text with its letters turned round."""

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.tasks.inputs import Input, integer
from rnnpipe.tasks.prediction import Answer, Prediction, Segment
from rnnpipe.tasks.predictor import Example, Predictor

INPUTS = (
    Input("text", "a text"),
    Input("n-best", "answers", integer(1), None, "N"),
)
IMAGE = Input("image", "an image", endings=(".png", ".jpg"))


class Turned(Predictor):
    """Turns texts round; `?` cannot be read, `!` has no answer, and a `*` is noted."""

    window = 2

    def __init__(self, **options):
        self.batches = []
        super().__init__({"call": lambda arrays: arrays}, **options)

    def encode(self, inputs):
        text = inputs["text"]
        if "?" in text:
            raise UserError("--text", "a text without ?", text, "leave it out")
        notes = ["--text: a * is not read"] if "*" in text else []
        options = {"n": inputs["n-best"] or 1}
        return Example({"text": np.array(list(text))}, inputs, options, len(text), notes)

    def collate(self, examples):
        return {}

    def compute(self, examples):
        self.batches.append([row.inputs["text"] for row in examples])
        assert len({row.options["n"] for row in examples}) == 1
        return {}

    def decode(self, outputs, examples):
        return [self.answer(row) for row in examples]

    def answer(self, row):
        if "!" in row.inputs["text"]:
            return UserError("--text", "a text without !", row.inputs["text"], "leave it out")
        text = row.inputs["text"][::-1]
        answers = [Answer(text * n, 1 / n, -n / 2) for n in range(1, row.options["n"] + 1)]
        return Prediction(answers, alignments=np.eye(2), notes=row.notes)


@pytest.fixture
def predictor():
    return Turned(inputs=INPUTS, task="turn", batch_size=3)


TIMELINE = Prediction([], [Segment(0.0, 1.5, "up", 0.5), Segment(1.5, 2.0, "down", 0.75)])
