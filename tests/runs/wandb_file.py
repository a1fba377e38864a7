"""What Weights & Biases has written offline."""

import json
import struct

from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]  # made at import

_BLOCK = 1 << 15
_HEADER = 7  # bytes, of the file and of each chunk
_WHOLE, _LAST = 1, 4


def read_records(path):
    """The records of a file: chunks in blocks, as in the logs of LevelDB."""
    data, place, text = path.read_bytes(), _HEADER, b""
    while place + _HEADER <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _HEADER:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + _HEADER])
        text += data[place + _HEADER : place + _HEADER + length]
        place += _HEADER + length
        if kind in (_WHOLE, _LAST):
            record = Record()
            record.ParseFromString(text)
            text = b""
            yield record


def read_rows(path):
    """The rows that were logged."""
    for record in read_records(path):
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            yield {"/".join(i.nested_key) or i.key: json.loads(i.value_json) for i in items}


def read_summary(path):
    """What was written into the summary."""
    found = {}
    for record in read_records(path):
        if record.WhichOneof("record_type") == "summary":
            for item in record.summary.update:
                found["/".join(item.nested_key) or item.key] = json.loads(item.value_json)
    return found
