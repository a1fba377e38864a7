"""One step of each cell for one example, gate by gate, in NumPy; weights in the cell's order."""

import numpy as np

from tests.layers.reference import sigmoid


def blocks(units, count):
    return [slice(k * units, (k + 1) * units) for k in range(count)]


def normalised(x, gain, shift, epsilon=1e-5):
    return gain * (x - x.mean()) / np.sqrt(x.var() + epsilon) + shift


def peephole(x, states, kernel, recurrent, bias, peepholes):
    h, c = states
    b = blocks(len(c), 4)
    z = [x @ kernel[:, k] + h @ recurrent[:, k] + bias[k] for k in b]
    i, f = sigmoid(z[0] + peepholes[0] * c), sigmoid(z[1] + peepholes[1] * c)
    c = f * c + i * np.tanh(z[2])
    h = sigmoid(z[3] + peepholes[2] * c) * np.tanh(c)
    return h, [h, c]


def att2in(x, states, kernel, recurrent, bias, context_kernel):
    h, c = states
    x, a = x[: len(kernel)], x[len(kernel) :]
    z = [x @ kernel[:, k] + h @ recurrent[:, k] + bias[k] for k in blocks(len(c), 5)]
    g, other = (z[3 + k] + a @ context_kernel[:, b] for k, b in enumerate(blocks(len(c), 2)))
    c = sigmoid(z[1]) * c + sigmoid(z[0]) * np.array(
        [max(pair) for pair in zip(g, other, strict=True)]
    )
    h = sigmoid(z[2]) * np.tanh(c)
    return h, [h, c]


def projection(x, states, kernel, recurrent, bias, project):
    r, c = states
    z = [x @ kernel[:, k] + r @ recurrent[:, k] + bias[k] for k in blocks(len(c), 4)]
    c = sigmoid(z[1]) * c + sigmoid(z[0]) * np.tanh(z[2])
    r = (sigmoid(z[3]) * np.tanh(c)) @ project
    return r, [r, c]


def layer_norm_vanilla(x, states, kernel, recurrent, gain, shift):
    h = np.tanh(normalised(x @ kernel + states[0] @ recurrent, gain, shift))
    return h, [h]


def layer_norm_lstm(x, states, kernel, recurrent, bias, *norms):
    h, c = states
    z = normalised(h @ recurrent, *norms[:2]) + normalised(x @ kernel, *norms[2:4]) + bias
    i, f, g, o = (z[k] for k in blocks(len(c), 4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(normalised(c, *norms[4:]))
    return h, [h, c]


def layer_norm_gru(x, states, kernel, recurrent, bias, *norms):
    (h,) = states
    units = len(h)
    both, last = slice(0, 2 * units), slice(2 * units, None)
    gates = (
        normalised(h @ recurrent[:, both], *norms[:2])
        + normalised(x @ kernel[:, both], *norms[2:4])
        + bias[both]
    )
    z, r = sigmoid(gates[:units]), sigmoid(gates[units:])
    inner = normalised(h @ recurrent[:, last], *norms[6:])
    g = np.tanh(normalised(x @ kernel[:, last], *norms[4:6]) + r * inner + bias[last])
    h = z * h + (1 - z) * g
    return h, [h]


def recurrent_highway(x, states, kernel, recurrent, bias):
    (h,) = states
    g_, t_ = blocks(len(h), 2)
    for layer in range(len(recurrent)):
        read = x if layer == 0 else np.zeros_like(x)
        g = np.tanh(read @ kernel[:, g_] + h @ recurrent[layer][:, g_] + bias[layer][g_])
        t = sigmoid(read @ kernel[:, t_] + h @ recurrent[layer][:, t_] + bias[layer][t_])
        h = t * g + (1 - t) * h
    return h, [h]


def highway_lstm(x, states, kernel, upper, recurrent, bias, depth_kernel, peepholes, depth_bias):
    after, below = [], np.zeros(())
    for layer in range(len(bias)):
        h, c = states[2 * layer], states[2 * layer + 1]
        read = upper[layer - 1] if layer else kernel
        i, f, g, o = (
            x @ read[:, k] + h @ recurrent[layer][:, k] + bias[layer][k] for k in blocks(len(c), 4)
        )
        carried = np.zeros(())
        if layer:
            own, lower = peepholes[layer - 1]
            inner = own * c + lower * below + depth_bias[layer - 1]
            carried = sigmoid(x @ depth_kernel[layer - 1] + inner) * below
        below = carried + sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        x = sigmoid(o) * np.tanh(below)
        after += [x, below]
    return x, after
