"""The values of arguments are checked whatever holds them: lists, arrays or tensors."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from rnnpipe.decoding import (
    Constraints,
    beam_search,
    ensemble,
    gnmt_coverage,
    gnmt_length,
    greedy_search,
    sample,
)
from rnnpipe.errors import UserError
from rnnpipe.layers import AdditiveAttention, AttentionDecoder, GRUCell
from rnnpipe.values import known_values

VOCAB, END = 6, 3

HOLDERS = {
    "list": lambda values: values,
    "array": np.array,
    "tensor": ops.convert_to_tensor,
    "variable": tf.Variable,
}
every_holder = pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)

STATE = np.zeros((1, 2), "float32")

STRATEGIES = {
    "greedy": lambda **options: greedy_search(step, STATE, **{"max_length": 4, **options}),
    "sample": lambda **options: sample(step, STATE, **{"max_length": 4, "seed": 1, **options}),
    "beam": lambda **options: beam_search(
        step, STATE, **{"max_length": 4, "beam_width": 2, **options}
    ),
}
every_strategy = pytest.mark.parametrize("search", STRATEGIES.values(), ids=STRATEGIES)


def step(tokens, state):
    logits = np.log([[0.01, 0.01, 0.01, 0.17, 0.5, 0.3]]).astype("float32")
    return ops.broadcast_to(logits, (ops.shape(tokens)[0], VOCAB)), state


@every_strategy
@every_holder
@pytest.mark.parametrize(
    ("argument", "values", "message"),
    [
        ("start", [VOCAB], r"start: expected tokens of the vocabulary, 0 to 5, got \[6\]"),
        ("start", [-1], r"start: expected tokens of the vocabulary, 0 to 5, got \[-1\]"),
        ("max_lengths", [0], "max_lengths: expected lengths of at least 1, got 0"),
        ("max_lengths", [2.5], "max_lengths: expected integers, got float"),
        ("prefix", [[4, 9]], r"prefix: expected tokens of the vocabulary, 0 to 5, got \[9\]"),
        ("prefix", [[4, END, 5]], r"prefix: expected no token after the end token \(3\), got some"),
    ],
)
def test_values_out_of_range_are_refused(search, holder, argument, values, message):
    held = holder(values)
    options = (
        {argument: held} if argument != "prefix" else {"constraints": Constraints(prefix=held)}
    )
    with pytest.raises(UserError, match=message):
        search(**options)


@every_holder
@pytest.mark.parametrize(
    ("phrases", "message"),
    [
        ([[[4, 9]]], r"tokens of the vocabulary, 0 to 5, got \[9\]"),
        ([[[4, END]]], "phrases without the end token, got 3"),
        ([[[4, 0, 5]]], r"phrases with(out)? PAD \(0\)"),
    ],
)
def test_phrases_that_nothing_can_contain_are_refused(holder, phrases, message):
    with pytest.raises(UserError, match=message):
        beam_search(step, STATE, max_length=4, beam_width=4, required_phrases=holder(phrases))


def test_a_phrase_of_padding_is_refused_in_a_list_which_needs_none():
    with pytest.raises(UserError, match=r"required_phrases: expected phrases without PAD"):
        beam_search(step, STATE, max_length=4, beam_width=4, required_phrases=[[[0]]])


@every_strategy
@pytest.mark.parametrize("holder", [list, tuple, np.array])
@pytest.mark.parametrize("banned", [[4], [0], [4, 5], [0, 4]])
def test_banned_tokens_may_be_an_array(search, holder, banned):
    found = search(constraints=Constraints(banned_tokens=holder(banned)))
    expected = search(constraints=Constraints(banned_tokens=banned))
    np.testing.assert_array_equal(found.ids, expected.ids)
    assert not set(banned) - {0} & set(np.ravel(found.ids).tolist())


@every_strategy
@pytest.mark.parametrize("banned", ["ab", [1.5], [True], [None]])
def test_banned_tokens_are_integers(search, banned):
    with pytest.raises(UserError, match="banned_tokens: expected"):
        search(constraints=Constraints(banned_tokens=banned))


@every_strategy
@pytest.mark.parametrize("length", [True, 2.0, None, "4", 0])
def test_a_maximum_length_is_a_whole_number(search, length):
    with pytest.raises(UserError, match="max_length: expected a whole number, at least 1"):
        search(max_length=length)


def test_values_of_a_graph_are_not_known_and_checked_by_nothing():
    seen = []

    @tf.function
    def decode(start, lengths):
        seen.append(known_values(start))
        return greedy_search(step, STATE, max_length=4, start=start, max_lengths=lengths).ids

    assert decode(tf.constant([2]), tf.constant([0])).shape == (1, 1, 4)
    assert seen == [None]


JAX = """
import jax, numpy, keras
from rnnpipe.decoding import greedy_search
from rnnpipe.errors import UserError
from rnnpipe.layers import AdditiveAttention, AttentionDecoder, GRUCell
from rnnpipe.values import known_values
decoder = AttentionDecoder(9, 4, GRUCell(4), AdditiveAttention(3))
memory, NONE = numpy.ones((2, 5, 4), "float32"), jax.numpy.array([0, 1])
decoder(numpy.ones((2, 3), "int32"), memory)
for call in (
    lambda: decoder(numpy.full((2, 3), 9), memory),
    lambda: greedy_search(*decoder.begin(memory), max_length=3, start=jax.numpy.array([9, 1])),
    lambda: greedy_search(*decoder.begin(memory), max_length=3, max_lengths=NONE),
):
    try: call()
    except UserError: continue
    raise AssertionError("no error")
traced = []
jax.jit(lambda tokens: traced.append(known_values(tokens)) or tokens)(numpy.ones(2))
assert traced == [None]
"""


def test_values_are_checked_on_jax(other_process):
    pytest.importorskip("jax")
    other_process(JAX, backend="jax")


@every_holder
def test_tokens_of_a_decoder_are_checked(holder):
    decoder = AttentionDecoder(VOCAB, 4, GRUCell(4), AdditiveAttention(3))
    tokens = holder([[4, VOCAB]])
    if isinstance(tokens, list):
        tokens = np.array(tokens)
    with pytest.raises(UserError, match="expected tokens from 0 to 5, got 6"):
        decoder(tokens, np.ones((1, 3, 4), "float32"))


@every_strategy
@pytest.mark.parametrize("prefix", [[[5.5]], [[5.0]], [[True]], [[None]]])
def test_a_list_of_tokens_has_integers_alone(search, prefix):
    with pytest.raises(UserError, match="prefix: expected"):
        search(constraints=Constraints(prefix=prefix))
    with pytest.raises(UserError, match="required_phrases: expected"):
        beam_search(step, STATE, max_length=4, beam_width=4, required_phrases=[prefix])


@every_strategy
@every_holder
def test_there_is_a_start_token_for_each_row_of_the_state(search, holder):
    with pytest.raises(UserError, match="each of the 1 rows of the state, got 2 tokens"):
        search(start=holder([2, 2]))


INFINITE = [float("nan"), float("inf"), -float("inf"), "a", True]


@pytest.mark.parametrize("number", INFINITE)
def test_options_are_finite_numbers(number):
    for wrong in (
        lambda: sample(step, STATE, max_length=4, seed=1, temperature=number),
        lambda: beam_search(step, STATE, max_length=4, beam_width=2, diversity=number),
        lambda: gnmt_length(number),
        lambda: gnmt_coverage(number),
        lambda: ensemble([step, step], weights=[1, number]),
    ):
        with pytest.raises(UserError, match=r"^(temperature|diversity|alpha|beta|ensemble):"):
            wrong()


@pytest.mark.parametrize("temperature", [1e-3, 1e-20, 1e-40, 5e-324])
def test_a_low_temperature_draws_the_likeliest_tokens(temperature):
    found = sample(step, STATE, max_length=4, seed=1, temperature=temperature)
    np.testing.assert_array_equal(found.ids, greedy_search(step, STATE, max_length=4).ids)
    banned = Constraints(banned_tokens=[4])
    found = sample(step, STATE, max_length=4, seed=1, temperature=temperature, constraints=banned)
    assert np.ravel(found.ids).tolist() == [5, 5, 5, 5]


@pytest.mark.parametrize("vocab", [VOCAB, 2000])
@pytest.mark.parametrize("run", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_no_rows_give_no_sequences(vocab, run):
    def step(tokens, state):
        return ops.zeros((ops.shape(tokens)[0], vocab)), state

    state = np.zeros((0, 2), "float32")
    for search in (
        lambda: greedy_search(step, state, max_length=4),
        lambda: sample(step, state, max_length=4, seed=1, top_k=3),
        lambda: beam_search(step, state, max_length=4, beam_width=3),
        lambda: beam_search(step, state, max_length=4, beam_width=4, n_best=2, groups=2),
        lambda: beam_search(step, state, max_length=4, beam_width=3, required_phrases=[]),
    ):
        assert run(search)().ids.shape[::2] == (0, 4)
