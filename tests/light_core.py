"""What works with Keras, NumPy and one backend alone; run as a script, what is named is absent.

python tests/light_core.py tensorflow apache_beam …
"""

import sys


class Absent:
    """Modules that are not installed, as far as this process can see.

    Args:
        names: the modules, e.g. `google.protobuf`; they may be changed.
    """

    def __init__(self, names):
        self.names = set(names)
        sys.meta_path[:] = [_Finder(finder, self) for finder in sys.meta_path]

    def __contains__(self, name):
        return f"{name}.".startswith(tuple(f"{absent}." for absent in self.names))


class _Finder:
    """Finds what another finder finds, but for absent modules and their distributions."""

    def __init__(self, finder, absent):
        self._finder, self._absent = finder, absent

    def find_spec(self, fullname, path=None, target=None):
        if fullname in self._absent:
            return None
        return self._finder.find_spec(fullname, path, target)

    def find_distributions(self, context):
        name = (context.name or "").lower().replace("-", "_")
        find = getattr(self._finder, "find_distributions", None)
        return [] if find is None or name in self._absent else find(context)

    def __getattr__(self, name):
        return getattr(self._finder, name)


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
    Absent(sys.argv[1:])
    check_imports()
    check_training()
    check_attention()
    present = [name for name in sys.argv[1:] if name in sys.modules]
    assert not present, f"{present} were imported"
