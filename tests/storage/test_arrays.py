"""Files of arrays, damaged and forged."""

import json
import os
import zipfile

import numpy as np
import pytest

from rnnpipe.errors import UserError
from rnnpipe.storage.arrays import read_arrays, read_sealed_arrays
from rnnpipe.storage.seal import Seal

LOGS = [{"loss": 1.5, "val_loss": float("nan")}]


@pytest.fixture
def seal(tmp_path):
    seal = Seal(tmp_path / "run")
    seal.folder.mkdir()
    seal.begin()
    return seal


def write(seal, **arrays):
    path = seal.folder / "state.npz"
    with seal.write(path) as unfinished:
        np.savez(unfinished, **arrays)
    return path


def test_what_was_written_is_read(seal):
    path = write(seal, logs=np.array(json.dumps(LOGS)), weights=np.ones(3))
    assert read_arrays(path).keys() == {"logs", "weights"}
    arrays, logs = read_sealed_arrays(path, "logs", list[dict[str, float]])
    assert list(arrays) == ["weights"]
    assert str(logs) == str(LOGS)


def test_each_damage_of_an_unsealed_file_is_one_kind_of_error(seal, tmp_path):
    raw = write(seal, logs=np.array("[]"), weights=np.ones(3)).read_bytes()
    path, refused = tmp_path / "a.npz", 0
    for place in range(0, len(raw), 3):
        for data in (raw[:place], raw[:place] + bytes([raw[place] ^ 0x10]) + raw[place + 1 :]):
            path.write_bytes(data)
            try:
                read_arrays(path)
            except ValueError:
                refused += 1
    assert refused > len(raw) // 3


def test_what_would_run_or_never_end_is_not_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file, file.open("a.npy", "w") as array:
        np.lib.format.write_array(array, np.array([print]), allow_pickle=True)
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        read_arrays(tmp_path / "a.npz")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="a pipe or a device"):
        read_arrays(tmp_path / "pipe")


@pytest.mark.parametrize("logs", ["{", "{}", "[1]", '[{"loss": "1"}]', None])
def test_something_else_under_a_right_seal_is_refused(logs, seal):
    arrays = {} if logs is None else {"logs": np.array(logs)}
    path = write(seal, weights=np.ones(3), **arrays)
    with pytest.raises(UserError, match="arrays that a training wrote there, got something else"):
        read_sealed_arrays(path, "logs", list[dict[str, float]])
