import keras
import numpy as np
import pytest

from rnnpipe.layers import GRU, LSTM
from rnnpipe.layers.kernels import devices, find_recurrent_kernel
from rnnpipe.tasks.network import make_function


@pytest.fixture
def cudnn(monkeypatch):
    """A machine with a GPU: the layers whose loops went to Keras, which takes cuDNN there."""
    went = []

    def take(kind):
        def run(*arguments, **options):
            went.append(kind)
            raise NotImplementedError  # by which Keras computes without it

        return run

    monkeypatch.setattr(devices, "_tensorflow", lambda: "gpu")
    monkeypatch.setattr("keras.src.backend.lstm", take("lstm"))
    monkeypatch.setattr("keras.src.backend.gru", take("gru"))
    return went


@pytest.mark.parametrize(("layer", "kind"), [(LSTM, "lstm"), (GRU, "gru")])
def test_graphs_that_are_traced_beside_a_gpu_compute_without_it(cudnn, layer, kind):
    inputs = keras.Input((5, 3), name="frames")
    model = keras.Model(inputs, {"states": layer(4)(inputs)})
    cudnn.clear()
    graph = make_function(model).graph()
    graph.trace().get_concrete_function()
    assert cudnn == []
    model(keras.ops.ones((2, 5, 3)), training=False)
    assert cudnn == [kind]


def test_functions_are_compiled_here_and_their_graphs_are_not(monkeypatch):
    kernel, calls = find_recurrent_kernel("lstm", 64), []
    infer = kernel.infer

    def count(*arguments, **options):
        calls.append(options)
        return infer(*arguments, **options)

    monkeypatch.setattr(kernel, "infer", count)
    inputs = keras.Input((None, 3), name="frames")
    function = make_function(keras.Model(inputs, {"states": LSTM(64)(inputs)}))
    calls.clear()
    function.graph().trace().get_concrete_function()
    assert calls == []
    function({"frames": np.ones((2, 17, 3), "float32")})
    assert calls == [{"compiles": True}]
