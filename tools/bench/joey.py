"""JoeyNMT's model for a trained translator of ours, built in this process through its own API.

    pip install torch && pip install --no-deps joeynmt subword-nmt zipp "importlib_metadata<9"

Without `--no-deps` it takes an old protobuf, which TensorFlow does not bear.

Kreutzer, Bastings and Riezler, "Joey NMT: A Minimalist NMT Toolkit for Novices", 2019.
"""

import random
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import torch
from joeynmt.batch import Batch
from joeynmt.builders import build_gradient_clipper, build_optimizer
from joeynmt.model import Model, build_model
from joeynmt.search import search
from joeynmt.vocabulary import Vocabulary
from torch import nn

from rnnpipe.text.tokens import END, PAD, START, UNKNOWN
from tools.bench.interleaved import Case
from tools.bench.joey_weights import DROPOUT, weights_of

Sentences = Sequence[Sequence[int]]
Pairs = list[tuple[list[int], list[int]]]

_FORWARD, _BACKWARD = (
    f"encoder/level_0/{direction}_level_0/gru_cell" for direction in ("forward", "backward")
)
_DECODER = "gru_cell"
_SPECIAL = {UNKNOWN: 0, PAD: 1, START: 2, END: 3}  # JoeyNMT's ids of ours
_SYMBOLS = SimpleNamespace(
    unk_token="<unk>",
    pad_token="<pad>",
    bos_token="<s>",
    eos_token="</s>",
    sep_token=None,
    lang_tags=[],
    unk_id=0,
    pad_id=1,
    bos_id=2,
    eos_id=3,
)


def build_joey(model: keras.Model) -> Model:
    """The model of JoeyNMT's recipe for Multi30k, with the weights of one of ours of its sizes.

    Two biases that it lacks, of the keys and of the logits, are put in.
    """
    weights = weights_of(model)
    languages = (
        Vocabulary([str(number) for number in range(len(_SPECIAL), len(weights[path]))], _SYMBOLS)
        for path in ("source_embedding/embeddings", "target_embedding/embeddings")
    )
    joey = build_model(_configure(weights), *languages)
    joey.loss_function = ("crossentropy", 0.1)
    decoder = joey.decoder
    decoder.attention.key_layer.bias = nn.Parameter(torch.zeros(decoder.hidden_size))
    decoder.output_layer.bias = nn.Parameter(torch.zeros(decoder.output_size))
    values = {name: torch.tensor(value) for name, value in _translate(weights)}
    joey.load_state_dict(values)
    return joey


def _configure(weights: dict[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """The `model` of JoeyNMT's config."""
    embedding = weights["target_embedding/embeddings"].shape[1]
    encoder, decoder = (
        {
            "type": "recurrent",
            "rnn_type": "gru",
            "embeddings": {"embedding_dim": embedding, "scale": False, "dropout": DROPOUT},
            "hidden_size": len(weights[f"{cell}/recurrent_kernel"]),
            "num_layers": 1,
            "dropout": DROPOUT,
        }
        for cell in (_FORWARD, _DECODER)
    )
    encoder["bidirectional"] = True
    attention = {"attention": "bahdanau", "input_feeding": True, "init_hidden": "bridge"}
    return {"encoder": encoder, "decoder": {**decoder, **attention, "hidden_dropout": DROPOUT}}


def _translate(weights: dict[str, np.ndarray]) -> Iterable[tuple[str, np.ndarray]]:
    """JoeyNMT's names and shapes of our weights."""
    for ours, name in (("source", "src_embed"), ("target", "trg_embed")):
        yield f"{name}.lut.weight", _reorder(weights[f"{ours}_embedding/embeddings"])
    for cell, name, suffix in (
        (_FORWARD, "encoder.rnn", ""),
        (_BACKWARD, "encoder.rnn", "_reverse"),
        (_DECODER, "decoder.rnn", ""),
    ):
        units = len(weights[f"{cell}/recurrent_kernel"])
        # Keras has z, r, g, PyTorch r, z, n.
        order = np.concatenate([np.arange(units) + block * units for block in (1, 0, 2)])
        yield f"{name}.weight_ih_l0{suffix}", weights[f"{cell}/kernel"][:, order].T
        yield f"{name}.weight_hh_l0{suffix}", weights[f"{cell}/recurrent_kernel"][:, order].T
        for which, bias in zip(("ih", "hh"), weights[f"{cell}/bias"], strict=True):
            yield f"{name}.bias_{which}_l0{suffix}", bias[order]
    for ours, name in (
        ("bridge/state_0", "bridge_layer"),
        ("readout/dense", "att_vector_layer"),
    ):
        yield f"decoder.{name}.weight", weights[f"{ours}/kernel"].T
        yield f"decoder.{name}.bias", weights[f"{ours}/bias"]
    yield "decoder.output_layer.weight", _reorder(weights["logits/kernel"].T)
    yield "decoder.output_layer.bias", _reorder(weights["logits/bias"])
    for ours, name in (("query", "query"), ("memory", "key"), ("score", "energy")):
        kernel = weights[f"additive_attention/{ours}_kernel"]
        yield f"decoder.attention.{name}_layer.weight", kernel.T
    yield "decoder.attention.key_layer.bias", weights["additive_attention/bias"]


def _reorder(rows: np.ndarray) -> np.ndarray:
    """Rows by our ids in the order of JoeyNMT's."""
    moved = rows.copy()
    for ours, theirs in _SPECIAL.items():
        moved[theirs] = rows[ours]
    return moved


def _pad(sentences: Sentences) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids of JoeyNMT's `(batch, time)`, as long as the longest sentence, and the lengths."""
    lengths = torch.tensor([len(sentence) for sentence in sentences])
    ids = torch.full((len(sentences), int(lengths.max())), _SPECIAL[PAD])
    for row, sentence in zip(ids, sentences, strict=True):
        row[: len(sentence)] = torch.tensor([_SPECIAL.get(token, token) for token in sentence])
    return ids, lengths


def _make_batch(sources: Sentences, targets: Sentences | None = None) -> Batch:
    source, lengths = _pad(sources)
    batch = Batch(
        src=source,
        src_length=lengths,
        src_prompt_mask=None,
        trg=None if targets is None else _pad([[START, *each, END] for each in targets])[0],
        trg_prompt_mask=None,
        indices=torch.arange(len(sources)),
        device=torch.device("cpu"),
        pad_index=_SPECIAL[PAD],
        eos_index=_SPECIAL[END],
        is_train=targets is not None,
    )
    batch.sort_by_src_length()
    return batch


def training(joey: Model, batches: list[Pairs], learning_rate: float, clip_norm: float) -> Case:
    """Steps of its training loop: its loss, gradients, clipping and Adam."""
    held = [_make_batch(*zip(*pairs, strict=True)) for pairs in batches]
    adam = build_optimizer({"optimizer": "adam", "learning_rate": learning_rate}, joey.parameters())
    clip = build_gradient_clipper({"clip_grad_norm": clip_norm, "clip_grad_val": None})

    def train() -> float:
        joey.train()
        total = 0.0
        for batch in held:
            summed, _, _, _ = joey(return_type="loss", **vars(batch))
            loss = batch.normalize(summed, normalization="tokens", n_gpu=0, n_accumulation=1)
            loss.backward()
            clip(parameters=joey.parameters())
            adam.step()
            joey.zero_grad()
            total += loss.item()
        return total / len(held)

    return train


def mix(batches: list[Pairs], seed: int = 0) -> list[Pairs]:
    """The same pairs in batches of the same sizes, drawn at random, as JoeyNMT draws them."""
    pairs = [pair for batch in batches for pair in batch]
    random.Random(seed).shuffle(pairs)
    drawn = iter(pairs)
    return [[next(drawn) for _ in batch] for batch in batches]


def translating(
    joey: Model, sources: Sentences, *, width: int, max_length: int, batch_size: int
) -> Case:
    """Its search for the translations of sentences, in batches of their order: ours' ids."""

    def translate() -> list[list[int]]:
        joey.eval()
        found: list[list[int]] = []
        for start in range(0, len(sources), batch_size):
            batch = _make_batch(sources[start : start + batch_size])
            ids, _, _ = search(joey, batch, max_length, width if width > 1 else 0, 1.0)
            rows = dict(zip(batch.indices.tolist(), ids.tolist(), strict=True))
            found += [_to_ours(rows[row]) for row in range(len(rows))]
        return found

    return translate


def _to_ours(ids: list[int]) -> list[int]:
    ours = {theirs: token for token, theirs in _SPECIAL.items()}
    tokens = [ours.get(token, token) for token in ids]
    return tokens[: tokens.index(END)] if END in tokens else tokens
