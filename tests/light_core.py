"""What works with Keras, NumPy and one backend alone; run as a script, it blocks what is named.

python tests/light_core.py tensorflow apache_beam …
"""

import importlib.abc
import sys


class Blocker(importlib.abc.MetaPathFinder):
    """Makes modules absent.

    Args:
        names: the modules, e.g. `google.protobuf`.
    """

    def __init__(self, names):
        self._names = tuple(f"{name}." for name in names)

    def find_spec(self, fullname, path=None, target=None):
        if f"{fullname}.".startswith(self._names):
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def check_imports():
    import rnnpipe

    assert rnnpipe.__version__
    assert not {"keras", "numpy"} & sys.modules.keys(), "import rnnpipe is instant"


def check_training():
    """A recurrent classifier learns which of two numbers a sequence begins with."""
    import keras
    import numpy as np

    from rnnpipe.layers import GRU, LSTM

    keras.utils.set_random_seed(1)
    tokens = np.random.default_rng(1).integers(1, 3, (64, 4))
    inputs = keras.Input((4,), dtype="int32")
    embedded = keras.layers.Embedding(3, 8, mask_zero=True)(inputs)
    sequence = keras.layers.Bidirectional(LSTM(8, return_sequences=True))(embedded)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(GRU(8)(sequence)))
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    model.fit(tokens, tokens[:, 0] - 1, epochs=15, batch_size=64, verbose=0)
    accuracy = model.evaluate(tokens, tokens[:, 0] - 1, verbose=0)[1]
    assert accuracy > 0.95, accuracy


def check_attention():
    """The alignments of an attention decoder are a distribution over what is not padding."""
    import keras
    import numpy as np

    from rnnpipe.decoding import beam_search, greedy_search
    from rnnpipe.layers import AdditiveAttention, AttentionDecoder, GRUCell

    memory = keras.random.normal((2, 5, 4), seed=1)
    decoder = AttentionDecoder(7, 3, GRUCell(4), AdditiveAttention(4))
    _, alignments = decoder(keras.ops.convert_to_tensor([[2, 4, 5], [2, 6, 3]]), memory)
    total = keras.ops.convert_to_numpy(alignments).sum(-1)
    np.testing.assert_allclose(total, np.ones_like(total), rtol=1e-5)
    step, state = decoder.begin(memory)
    likeliest = keras.ops.convert_to_numpy(greedy_search(step, state, max_length=4).ids)
    best = keras.ops.convert_to_numpy(beam_search(step, state, beam_width=1, max_length=4).ids)
    np.testing.assert_array_equal(np.ravel(best), np.ravel(likeliest))


if __name__ == "__main__":
    sys.meta_path.insert(0, Blocker(sys.argv[1:]))
    check_imports()
    check_training()
    check_attention()
    present = [name for name in sys.argv[1:] if name in sys.modules]
    assert not present, f"{present} were imported"
