"""Records as serialised `tf.train.Example`s, without TensorFlow.

Workers of a cluster encode records, and importing TensorFlow there would cost seconds per process.
The message types are declared here for the protobuf runtime, field number by field number as in
TensorFlow's `example.proto` and `feature.proto`; the bytes are the same.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from rnnpipe.records.specs import Field, RecordSpec

_Proto = descriptor_pb2.FieldDescriptorProto
_LIST_OF_KIND = {
    "int64": "int64_list",
    "float32": "float_list",
    "text": "bytes_list",
    "jpeg": "bytes_list",
}
_TENSORS = {"float32": "<f4", "float16": "<f2", "int16": "<i2"}  # a tensor's bytes, row by row


def _declare_message(parent: Any, name: str, *fields: tuple[str, int, int, int, str | None]) -> Any:
    """Adds a message; its fields have name, number, label, type and the name of their type."""
    message = parent.add(name=name)
    for field, number, label, type_, type_name in fields:
        message.field.add(name=field, number=number, label=label, type=type_, type_name=type_name)
    return message


def _declare_example() -> type[Any]:
    """The message class of `tensorflow.Example`, in a pool of its own beside TensorFlow's."""
    file = descriptor_pb2.FileDescriptorProto(
        name="rnnpipe/example.proto", package="tensorflow", syntax="proto3"
    )

    one, many = _Proto.LABEL_OPTIONAL, _Proto.LABEL_REPEATED
    nested = _Proto.TYPE_MESSAGE
    types = file.message_type
    _declare_message(types, "BytesList", ("value", 1, many, _Proto.TYPE_BYTES, None))
    _declare_message(types, "FloatList", ("value", 1, many, _Proto.TYPE_FLOAT, None))
    _declare_message(types, "Int64List", ("value", 1, many, _Proto.TYPE_INT64, None))
    feature = _declare_message(
        types,
        "Feature",
        ("bytes_list", 1, one, nested, ".tensorflow.BytesList"),
        ("float_list", 2, one, nested, ".tensorflow.FloatList"),
        ("int64_list", 3, one, nested, ".tensorflow.Int64List"),
    )
    feature.oneof_decl.add(name="kind")
    for field in feature.field:
        field.oneof_index = 0
    features = _declare_message(
        types, "Features", ("feature", 1, many, nested, ".tensorflow.Features.FeatureEntry")
    )
    entry = _declare_message(
        features.nested_type,
        "FeatureEntry",
        ("key", 1, one, _Proto.TYPE_STRING, None),
        ("value", 2, one, nested, ".tensorflow.Feature"),
    )
    entry.options.map_entry = True
    _declare_message(types, "Example", ("features", 1, one, nested, ".tensorflow.Features"))

    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    example: type[Any] = message_factory.GetMessageClass(
        pool.FindMessageTypeByName("tensorflow.Example")
    )
    return example


_Example = _declare_example()


def encode_example(spec: RecordSpec, values: Mapping[str, Any]) -> bytes:
    """One record as the bytes of a `tf.train.Example`; equal values give equal bytes.

    Args:
        spec: the kind of record.
        values: a value for each of its fields: int, float, str or bytes, a list of them, a list of
            such lists, or an array.

    Raises:
        ValueError: a field is missing or not in the declaration, or an array has other axes.
    """
    if values.keys() != spec.fields.keys():
        odd = sorted(values.keys() ^ spec.fields.keys())
        raise ValueError(f"{spec.name} record: fields {odd} are missing or not declared")
    example = _Example()
    for name, field in spec.fields.items():
        for key, (list_kind, items) in _to_columns(name, field, values[name]).items():
            target = getattr(example.features.feature[key], list_kind)
            target.SetInParent()  # an empty list is still a list of its kind
            target.value.extend(items)
    # Maps have no order of their own: deterministic serialisation sorts them.
    serialised: bytes = example.SerializeToString(deterministic=True)
    return serialised


def _to_columns(name: str, field: Field, value: Any) -> dict[str, tuple[str, Iterable[Any]]]:
    """The features of the `Example` that hold a field: which kind of list, and what is in it."""
    if field.axes:
        array = np.asarray(value, _TENSORS[field.kind])
        if array.ndim != field.axes:
            raise ValueError(f"{name}: {array.ndim} axes, {field.axes} are declared")
        if field.axes == 1:
            return {name: ("bytes_list", [array.tobytes()])}
        shape, data = tensor_columns(name)
        return {shape: ("int64_list", array.shape), data: ("bytes_list", [array.tobytes()])}
    if field.nested:
        items, lengths = ragged_columns(name)
        flat = Field(field.kind, field.meaning, sequence=True)
        return {
            lengths: ("int64_list", [len(row) for row in value]),
            **_to_columns(items, flat, [item for row in value for item in row]),
        }
    listed = list(value) if field.sequence else [value]
    if field.kind == "text":
        listed = [item.encode() for item in listed]
    return {name: (_LIST_OF_KIND[field.kind], listed)}


def ragged_columns(name: str) -> tuple[str, str]:
    """TensorFlow Datasets' names for the values of a nested sequence, and for its row lengths."""
    return f"{name}/ragged_flat_values", f"{name}/ragged_row_lengths_0"


def tensor_columns(name: str) -> tuple[str, str]:
    """TensorFlow Datasets' names for the shape of a tensor, and for its bytes.

    A tensor of one axis has no shape beside it: its bytes are called as it is itself.
    """
    return f"{name}/shape", f"{name}/value"


def decode_example(
    spec: RecordSpec, serialised: bytes, fields: Collection[str] | None = None
) -> dict[str, Any]:
    """The values of a record by field name: the inverse of `encode_example`.

    Args:
        spec: the kind of record.
        serialised: its bytes.
        fields: which fields to decode; by default all.

    Raises:
        ValueError: the bytes are no such record.
    """
    names = spec.fields if fields is None else fields
    try:
        features = _Example.FromString(serialised).features.feature
        return {name: _decode_field(features, name, spec.fields[name]) for name in names}
    except (ValueError, LookupError, TypeError, DecodeError) as fault:
        raise ValueError(f"no {spec.name} record: {type(fault).__name__}: {fault}") from fault


def _decode_field(features: Mapping[str, Any], name: str, field: Field) -> Any:
    if field.axes == 1:
        return np.frombuffer(features[name].bytes_list.value[0], _TENSORS[field.kind])
    if field.axes:
        shape, data = tensor_columns(name)
        array = np.frombuffer(features[data].bytes_list.value[0], _TENSORS[field.kind])
        sides = features[shape].int64_list.value
        if len(sides) != field.axes or any(side < 0 for side in sides):
            raise ValueError(f"{name} has the shape {list(sides)!s:.100}")
        return array.reshape(sides)
    if field.nested:
        items, lengths = ragged_columns(name)
        values, sizes = _decode_list(features, items, field), features[lengths].int64_list.value
        if sum(sizes) != len(values) or any(size < 0 for size in sizes):
            raise ValueError(f"{name} has {len(values):,} values for rows of {sum(sizes):,}")
        flat = iter(values)
        return [list(islice(flat, size)) for size in sizes]
    values = _decode_list(features, name, field)
    return values if field.sequence else values[0]


def _decode_list(features: Mapping[str, Any], key: str, field: Field) -> list[Any]:
    values = list(getattr(features[key], _LIST_OF_KIND[field.kind]).value)
    return [value.decode() for value in values] if field.kind == "text" else values
