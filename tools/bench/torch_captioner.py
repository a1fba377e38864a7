"""The captioner of `decoder.py` in PyTorch, as one writes it by hand."""

from typing import Any

import numpy as np
import torch
from torch import nn

from rnnpipe.layers import AttentionDecoder
from rnnpipe.text.tokens import END, START
from tools.bench.interleaved import Case


class Captioner(nn.Module):
    """Keys once, a step a word, the vocabulary once for all words."""

    def __init__(self, vocab: int, embedding: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.embedding = nn.Embedding(vocab, embedding)
        self.keys = nn.Linear(units, units)
        self.query = nn.Linear(units, units, bias=False)
        self.score = nn.Linear(units, 1, bias=False)
        self.gru = nn.GRUCell(embedding + units, units)
        self.readout, self.logits = nn.Linear(2 * units, units), nn.Linear(units, vocab)

    def step(self, word: Any, h: Any, memory: Any, keys: Any) -> tuple[Any, Any]:
        """The readout after a word, and the next hidden state."""
        joint = torch.tanh(keys + self.query(h)[:, None])
        alignments = torch.softmax(self.score(joint)[:, :, 0], dim=1)
        context = torch.bmm(alignments[:, None], memory)[:, 0]
        h = self.gru(torch.cat([word, context], dim=1), h)
        return torch.tanh(self.readout(torch.cat([h, context], dim=1))), h

    def forward(self, tokens: Any, memory: Any) -> Any:
        """Logits of the word after each of `tokens`."""
        h, keys, words = memory.new_zeros(len(memory), self.units), self.keys(memory), []
        for word in self.embedding(tokens).unbind(1):
            readout, h = self.step(word, h, memory, keys)
            words.append(readout)
        return self.logits(torch.stack(words, dim=1))


def make_captioner(decoder: AttentionDecoder) -> Captioner:
    """The model of a decoder, with its weights."""
    (words,) = decoder.embedding.get_weights()
    units = decoder.cell.output_size
    vocab, embedding = words.shape
    model = Captioner(vocab, embedding, units)
    attention: Any = decoder.cell.attention
    query, keys, bias, score = attention.get_weights()
    kernel, recurrent, biases = decoder.cell.cells[0].get_weights()
    # Keras has z, r, g, PyTorch r, z, n.
    order = np.concatenate([np.arange(units) + block * units for block in (1, 0, 2)])
    to_logits: Any = decoder.to_logits
    readout, vocabulary = decoder.cell.readout.dense.get_weights(), to_logits.get_weights()
    values = {
        "embedding.weight": words,
        "keys.weight": keys.T,
        "keys.bias": bias,
        "query.weight": query.T,
        "score.weight": score.T,
        "gru.weight_ih": kernel[:, order].T,
        "gru.weight_hh": recurrent[:, order].T,
        "gru.bias_ih": biases[0][order],
        "gru.bias_hh": biases[1][order],
        "readout.weight": readout[0].T,
        "readout.bias": readout[1],
        "logits.weight": vocabulary[0].T,
        "logits.bias": vocabulary[1],
    }
    model.load_state_dict({name: torch.tensor(value.copy()) for name, value in values.items()})
    return model


def training_step(decoder: AttentionDecoder, tokens: Any, memory: Any) -> Case:
    """The loss of the PyTorch model, after all gradients have been computed."""
    model, tokens = make_captioner(decoder), torch.tensor(tokens)
    memory = torch.tensor(memory, requires_grad=True)

    def step() -> float:
        model.zero_grad()
        memory.grad = None
        logits = model(tokens[:, :-1], memory)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        return loss.item()

    return step


def search(decoder: AttentionDecoder, memory: Any, width: int, length: int) -> Case:
    """A beam search of the PyTorch model as one writes it by hand."""
    model, memory = make_captioner(decoder), torch.tensor(memory)
    batch, vocab = len(memory), model.logits.out_features

    @torch.no_grad()
    def run() -> float:
        beams = memory.repeat_interleave(width, dim=0)
        keys, h = model.keys(beams), memory.new_zeros(batch * width, model.units)
        tokens = torch.full((batch * width,), START)
        scores = torch.full((batch, width), -torch.inf)
        scores[:, 0] = 0
        ids = torch.zeros(batch, width, 0, dtype=torch.long)
        first = torch.arange(batch)[:, None] * width
        for t in range(length):
            readout, h = model.step(model.embedding(tokens), h, beams, keys)
            log_probs = torch.log_softmax(model.logits(readout), dim=-1)
            if t < length - 1:
                log_probs[:, END] = -torch.inf
            totals = scores[:, :, None] + log_probs.view(batch, width, vocab)
            scores, chosen = totals.view(batch, -1).topk(width)
            parents, tokens = chosen // vocab, (chosen % vocab).flatten()
            h = h[(first + parents).flatten()]
            ids = ids.gather(1, parents[:, :, None].expand(-1, -1, t))
            ids = torch.cat([ids, tokens.view(batch, width, 1)], dim=2)
        return float(scores[0, 0])

    return run
