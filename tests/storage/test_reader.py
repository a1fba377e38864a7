import io
import random
import uuid

import pytest

from rnnpipe.errors import UserError
from rnnpipe.storage import store_path
from rnnpipe.storage.reader import ObjectReader
from rnnpipe.storage.store_path import StorePath


def test_it_reads_like_a_file_in_memory():
    chance = random.Random(3)
    content = chance.randbytes(500)
    asked = []

    def read_range(start, stop):
        asked.append((start, stop))
        return content[start:stop]

    ours = io.BufferedReader(ObjectReader(read_range, len(content)), 64)
    theirs = io.BytesIO(content)
    for _ in range(200):
        if chance.random() < 0.5:
            place = chance.randrange(600), chance.choice([io.SEEK_SET, io.SEEK_END])
            place = (-min(place[0], 500), place[1]) if place[1] == io.SEEK_END else place
            assert ours.seek(*place) == theirs.seek(*place)
        size = chance.choice([0, 1, 30, 64, 300, -1])
        assert ours.read(size) == theirs.read(size)
        assert ours.tell() == theirs.tell()
    assert all(0 <= start < stop <= len(content) for start, stop in asked)


def test_a_store_error_in_the_middle_of_an_object_is_reported(monkeypatch):
    path = StorePath(f"memory://{uuid.uuid4().hex}/large")
    path.write_bytes(b"0123456789")
    monkeypatch.setattr(store_path, "BLOCK", 4)
    with path.open("rb") as file:
        assert file.read(4) == b"0123"

        def refuse(store, key, start=None, end=None):
            raise ConnectionError("the cable was cut")

        monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.cat_file", refuse)
        with pytest.raises(UserError, match="gives access, got ConnectionError: the cable was cut"):
            file.read()
