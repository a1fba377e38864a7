"""Known cases of other decoders: the ids and scores that their own suites expect.

Of OpenNMT-py its beam search against a known reference, blocked repeats and minimum length; of
keras-hub the words of its beam sampler; of JoeyNMT how the scores of its recurrent model add up and
which five sequences a beam of seven finds; of TensorFlow Addons one step of its beam search.
"""

import numpy as np
import pytest
from keras import ops

from rnnpipe.decoding import Constraints, beam_search, gnmt_length, greedy_search
from rnnpipe.decoding.selection import top_continuations
from rnnpipe.text.tokens import START
from tests.decoding.steps import log_softmax, markov, padded, spell, speller, tokens

ROWS = pytest.mark.parametrize("batch", [1, 3])


def scripted(logits, batch):
    """A step whose logits `logits[time, place in the beam]` give, the same for each row."""
    logits = np.asarray(logits, "float32")
    width = logits.shape[1]

    def step(_, at):
        now = ops.take(logits, at, axis=0)  # (batch * width, width, vocab)
        place = ops.arange(ops.shape(at)[0]) % width
        return ops.take_along_axis(now, place[:, None, None], axis=1)[:, 0], at + 1

    return step, np.zeros(batch, "int32")


def reference_logits():
    """The steps of OpenNMT-py's reference case, and one more at which all is alike."""
    logits = np.zeros((5, 5, 8))
    logits[0] = [0, 0, 0, 4, 5, 3, 2, 1]
    logits[1, 3:, 3:] = logits[2, 3:, 3:] = logits[3, 3:, 3:] = 0.2
    logits[1, 0, [3, 5, 6]] = logits[2, 0, [3, 5, 6]] = [0.3, 0.51, 0.2]
    logits[1, 1, 2] = 1.5
    logits[1, 2, [4, 5]] = [0.49, 0.48]
    logits[2, 2, [4, 5]] = [5000, 0.48]  # of a beam that has ended
    logits[2, 3, 2] = logits[3, 4, 2] = 50
    logits[3, 0, [2, 4, 5, 6]] = [5000, 5000, 0.51, 0.2]  # of another
    logits[3, 2, 5] = 5000
    logits[3, 4, 3] = 0
    return logits


@ROWS
def test_opennmt_reference(batch):
    step, state = scripted(reference_logits(), batch)
    decoded = beam_search(step, state, beam_width=5, n_best=3, max_length=5, start=1, end=2)
    for row in range(batch):
        assert decoded.ids[row].numpy().tolist() == [
            [3, 2, 0, 0, 0],
            [4, 6, 2, 0, 0],
            [4, 5, 0, 2, 0],
        ]
        np.testing.assert_allclose(decoded.scores[row], [-2.4054, -2.4879, -4.4010], atol=1e-4)


def test_opennmt_reference_at_each_step():
    step, state = scripted(reference_logits(), 1)
    decoded = beam_search(step, state, beam_width=5, n_best=5, max_length=3, start=1, end=2)
    np.testing.assert_allclose(
        decoded.scores[0], [-2.4054, -2.4879, -3.8910, -4.1010, -4.2010], atol=1e-4
    )
    assert decoded.ids[0, 1:, 2].numpy().tolist() == [2, 5, 3, 6]


@ROWS
def test_opennmt_blocks_the_beam_that_repeats(batch):
    # One beam says 47 for ever, and dies when three of it would come twice; another counts on.
    tables = np.full((batch, 7, 60, 60), -np.inf)
    tables[:, 0, START, [47, 48]] = np.log([0.9, 0.1])
    tables[:, 1:, 47, 47] = 0.0
    for token in range(48, 59):
        tables[:, 1:, token, token + 1] = 0.0
    step, state = markov(tables)
    options = {"beam_width": 5, "n_best": 2, "max_length": 7}
    free = beam_search(step, state, **options)
    blocked = beam_search(step, state, **options, constraints=Constraints(no_repeat_ngram=3))
    assert free.ids[0, 0, :4].numpy().tolist() == [47] * 4
    for row in range(batch):
        assert blocked.ids[row, 0].numpy().tolist() == [48, 49, 50, 51, 52, 53, 54]
        assert float(blocked.scores[row, 1]) == -np.inf
    np.testing.assert_allclose(blocked.scores[:, 0], np.log(0.1), rtol=1e-5)


@ROWS
def test_opennmt_minimum_length(batch):
    # The first beam always wants to end; before five tokens it may not.
    others, end, least = [47, 51, 13, 88, 99], 2, 5
    shares = log_softmax([6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    probabilities = np.zeros((least + 4, 5, 100))
    probabilities[0, :, [end, *others]] = np.exp(shares)[:, None]
    for place, token in enumerate(others):
        probabilities[1:, place, token] = np.exp(shares[place + 1])
    probabilities[1:, 0, end] = np.exp(shares[0])
    probabilities[1:, :, 1] = 1 - probabilities[1:].sum(axis=-1)  # what is left, never said
    with np.errstate(divide="ignore"):
        step, state = scripted(np.log(probabilities), batch)
    constraints = Constraints(min_length=least + 1, banned_tokens=[1])
    decoded = beam_search(
        step, state, beam_width=5, max_length=least + 4, end=end, constraints=constraints
    )
    for row in range(batch):
        assert decoded.ids[row, 0].numpy().tolist() == padded([47] * least + [end], least + 4)
    np.testing.assert_allclose(decoded.scores[:, 0], least * shares[1] + shares[0], rtol=1e-4)


def test_keras_hub_words():
    step, state = speller(["sequentially"], confidence=1e9)
    decoded = beam_search(step, state, beam_width=5, n_best=5, max_length=12)
    assert decoded.ids.shape == (1, 5, 12)
    assert spell(decoded.ids[0, 0]) == "sequentially"
    assert np.all(np.diff(decoded.scores) <= 0)


def test_keras_hub_stops_at_a_token():
    step, state = speller(["sequentially"], confidence=1e9)
    (end,) = tokens("t")
    decoded = beam_search(step, state, beam_width=5, max_length=12, end=end)
    assert spell(decoded.ids[0, 0]) == "sequent_____"


@pytest.mark.parametrize("width", [1, 5])
def test_keras_hub_prompt(width):
    step, state = speller(["aaaaaaaaaaaa"], confidence=1e9)
    constraints = Constraints(prefix=np.array([tokens("zzzzz")]))
    decoded = beam_search(step, state, beam_width=width, max_length=12, constraints=constraints)
    assert spell(decoded.ids[0, 0]) == "zzzzzaaaaaaa"


class TestJoeyNMT:
    """Its recurrent model says token 0 thrice, with these log-probabilities.

    Tokens that it never says (padding and start) keep their share: nothing is normalised anew.
    """

    GREEDY = np.array([[-2.7310, -1.1748, -0.8349], [-1.8635, -1.6904, -1.4866]])
    BANNED = Constraints(banned_tokens=[1, 2])

    def model(self):
        logits = np.full((2, 3, 8), -50.0)
        logits[:, :, 0] = self.GREEDY
        logits[:, :, 1] = np.log(1 - np.exp(self.GREEDY))

        def step(_, state):
            at, logits = state
            now = ops.take_along_axis(logits, at[:, None, None], axis=1)[:, 0]
            return now, (at + 1, logits)

        return step, (np.zeros(2, "int32"), logits.astype("float32"))

    def check(self, decoded, scores):
        assert decoded.ids[:, 0].numpy().tolist() == [[0, 0, 0], [0, 0, 0]]
        assert decoded.lengths[:, 0].numpy().tolist() == [3, 3]
        np.testing.assert_allclose(decoded.scores[:, 0], scores, atol=2e-4)

    def test_greedy_search_follows_the_likeliest_tokens(self):
        decoded = greedy_search(*self.model(), max_length=3, constraints=self.BANNED)
        self.check(decoded, self.GREEDY.sum(axis=1))

    def test_a_beam_of_one_has_the_scores_of_the_peer(self):
        decoded = beam_search(*self.model(), beam_width=1, max_length=3, constraints=self.BANNED)
        self.check(decoded, [-4.7406, -5.0405])

    def test_beam_of_seven_with_length_penalty(self):
        decoded = beam_search(
            *self.model(),
            beam_width=7,
            max_length=3,
            length_penalty=gnmt_length(1.0),
            constraints=self.BANNED,
        )
        self.check(decoded, [-3.5555, -3.7804])


# What JoeyNMT's recurrent model and its Transformer find with a beam of seven and length penalty 1:
# log-probabilities along the first sequence, then the five best with their scores. They prove that
# sequences which ended early (with 3) are each measured by their own length.
FIVE_BEST = {
    "recurrent 1": (
        [-2.7310, -1.1748, -0.8349],
        [[0, 0, 0], [7, 0, 0], [0, 7, 0], [0, 3], [0, 0, 3]],
        [-3.5555, -4.2165, -5.1052, -5.1194, -5.5383],
    ),
    "recurrent 2": (
        [-1.8635, -1.6904, -1.4866],
        [[0, 0, 0], [7, 0, 0], [0, 7, 0], [0, 0, 7], [0, 3]],
        [-3.7804, -4.0709, -4.7656, -5.0124, -5.4101],
    ),
    "transformer 1": (
        [-0.5425, -0.4908, -0.5439],
        [[0, 0, 0], [0, 0, 7], [0, 7, 0], [7, 0, 0], [7, 0, 7]],
        [-1.1829, -1.6948, -1.7128, -2.0805, -2.9899],
    ),
    "transformer 2": (
        [-0.8726, -0.9898, -0.9668],
        [[0, 0, 7], [7, 0, 0], [0, 0, 0], [0, 7, 0], [7, 0, 7]],
        [-2.1219, -2.1881, -2.1931, -2.3707, -2.4195],
    ),
}


def remembering(greedy_path, sequences, totals, vocab=8):
    """A step that knows all that was said before, in a tree in which node n goes on to 8 n + 1 + k.

    What a sequence's total leaves open is shared among its steps; what is left of each node's
    probability falls to token 1, which is never said.
    """
    table = np.full((1 + vocab + vocab**2, vocab), -50.0)
    known = np.zeros(table.shape, "bool")
    for number, (sequence, total) in enumerate(zip(sequences, totals, strict=True)):
        node, left = 0, total
        for place, token in enumerate(sequence):
            if not known[node, token]:
                last = place + 1 == len(sequence)
                table[node, token] = left if last else 0.55 * left
                table[node, token] = greedy_path[place] if number == 0 else table[node, token]
                known[node, token] = True
            left -= table[node, token]
            node = vocab * node + 1 + token
    table[:, 1] = np.log(1 - np.exp(table).sum(axis=1) + np.exp(-50.0))
    table = table.astype("float32")

    def step(said, state):
        at, node = state
        node = ops.where(at == 0, 0, vocab * node + 1 + said)
        return ops.take(table, node, axis=0), (at + 1, node)

    return step, (np.zeros(1, "int32"), np.zeros(1, "int32"))


@pytest.mark.parametrize(("greedy_path", "sequences", "scores"), FIVE_BEST.values(), ids=FIVE_BEST)
def test_joeynmt_five_best(greedy_path, sequences, scores):
    totals = [score * (5 + len(ids)) / 6 for ids, score in zip(sequences, scores, strict=True)]
    np.testing.assert_allclose(totals[0], sum(greedy_path), atol=2e-4)
    decoded = beam_search(
        *remembering(greedy_path, sequences, totals),
        beam_width=7,
        n_best=5,
        max_length=3,
        length_penalty=gnmt_length(1.0),
        constraints=Constraints(banned_tokens=[1]),
    )
    assert decoded.ids[0].numpy().tolist() == [padded(ids, 3) for ids in sequences]
    np.testing.assert_allclose(decoded.scores[0], scores, atol=2e-4)


def test_addons_beam_step():
    """Which tokens continue which beams, where beams were alike before."""
    logits = np.full((2, 3, 5), 0.0001)
    logits[0, 0, [2, 3]] = [1.9, 2.1]
    logits[0, 1, [3, 4]] = [3.1, 0.9]
    logits[1, 0, 1], logits[1, 1, 2], logits[1, 2, [2, 3]] = 0.5, 2.7, [10.0, 0.2]
    before, log_probs = log_softmax(np.ones((2, 3))), log_softmax(logits)
    _, parents, chosen = top_continuations(
        before.astype("float32"), log_probs.astype("float32"), None, 2
    )
    assert chosen.numpy().tolist() == [[3, 3, 2], [2, 2, 1]]
    assert parents.numpy().tolist() == [[1, 0, 0], [2, 1, 0]]
