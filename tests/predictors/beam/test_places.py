"""However rows are cut into shards, all of them are read, once and in their order."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnpipe.errors import UserError
from rnnpipe.predictors.beam.places import find_places, open_place
from rnnpipe.predictors.beam.shards import cut_shards
from rnnpipe.predictors.rows import RowReader
from tests.predictors.conftest import IMAGE, INPUTS

HEADERS = {"text": "h\n", "jsonl": '{"text": "h"}\n', "csv": "text,id\n", "tsv": "text\tid\n"}
PIECES = {
    "text": st.sampled_from(["a", "", " ", "b\r", "\xe9", "c\u2028d"]),
    "jsonl": st.sampled_from(['{"text": "a"}', "", "{", '{"text": "b", "id": 1}', "[]"]),
    "csv": st.sampled_from(["a,1", "", '"b,\nc",2', '"d"",', 'x"y,"z', "e", '"', "text,id", ","]),
    "tsv": st.sampled_from(["a\t1", "", "b", "\t", '"c\t2', "text\tid"]),
}


def read(places, reader, size, folder):
    """The shards' rows, after checks of their numbers."""
    shards = list(cut_shards(places, size, folder))
    assert [shard.number for shard in shards] == list(range(len(shards)))
    rows, first = [], 1
    for shard in shards:
        read_here = list(shard.read(reader))
        assert (shard.first, shard.size) == (first, len(read_here))
        first += shard.size
        rows += read_here
    return shards, [(row.where, dict(row.columns), str(row.inputs)) for row in rows]


@pytest.mark.parametrize("form", PIECES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_ranges_of_a_file_have_its_rows_as_a_whole_reading_has(form, data, tmp_path):
    lines = data.draw(st.lists(PIECES[form], min_size=1, max_size=12))
    end = data.draw(st.sampled_from(["", "\n"]))
    path = tmp_path / "rows"
    path.write_bytes((HEADERS[form] + "\n".join(lines) + end + "x").encode())
    reader = RowReader("turn", INPUTS, {}, form=form)
    whole = [(row.where, dict(row.columns), str(row.inputs)) for row in reader.open(str(path)).rows]
    size = data.draw(st.integers(1, 5))
    place = open_place(str(path), reader, "test")
    shards, rows = read([place, place], reader, size, tmp_path)
    assert rows == [*whole, *whole]
    if form != "csv":  # where rows that are read at once stay together
        assert all(shard.size == size for shard in shards[:-1])


def test_shards_go_on_from_file_to_file_and_a_gzipped_one_is_unpacked(tmp_path):
    (tmp_path / "a.txt").write_text("a1\na2\na3\n")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"b1\nb2\n"))
    (tmp_path / "empty.txt").touch()
    (tmp_path / "c.csv").write_text('id,text\n1,"c1\n"\n2,c2\n')
    reader = RowReader("turn", INPUTS, {})
    places = [
        open_place(str(tmp_path / name), reader, "test")
        for name in ("a.txt", "empty.txt", "b.txt.gz", "c.csv")
    ]
    assert [list(place.columns) for place in places] == [*[["text"]] * 3, ["id", "text"]]
    (tmp_path / "build").mkdir()
    shards, rows = read(places, reader, 2, tmp_path / "build")
    assert [shard.size for shard in shards] == [2, 2, 2, 1]
    texts = [columns["text"] for _, columns, _ in rows]
    assert texts == ["a1", "a2", "a3", "b1", "b2", "c1\n", "c2"]
    assert rows[3][0] == f"{tmp_path / 'b.txt.gz'}, line 1"
    assert rows[-1][0] == f"{tmp_path / 'c.csv'}, line 4"


@pytest.mark.parametrize("groups", [1, 3, 100])
def test_rows_of_parquet_are_read_in_any_range(groups, tmp_path):
    table = pa.table(
        {
            "text": [f"t{n}" for n in range(10)],
            "n_best": pa.array([n or None for n in range(10)]),
            "score": [float("nan")] * 10,
            "raw": [b"x"] * 10,
        }
    )
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path, row_group_size=groups)
    reader = RowReader("turn", INPUTS, {})
    place = open_place(str(path), reader, "test")
    assert list(place.columns) == ["text", "n_best", "score", "raw"]
    assert place.notices == [f"{path}: columns that are no inputs of turn: score, raw"]
    for size in (1, 4, 10, 20):
        _, rows = read([place], reader, size, tmp_path)
        assert rows == [
            (
                f"{path}, row {n + 1}",
                {"text": f"t{n}", "n_best": n or None, "score": None, "raw": None},
                str({"text": f"t{n}", "n-best": n or None}),
            )
            for n in range(10)
        ]


def test_relative_paths_in_rows_are_those_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photos/a.png", "photos/b.jpg", "photos/c.txt"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    Path("list.csv").write_text("image\nphotos/a.png\n/abs.png\ns3://bucket/b.png\n")
    reader = RowReader("turn", (IMAGE,), {}, folder=str(tmp_path))
    places = [open_place(name, reader, "test") for name in ("photos", "list.csv")]
    assert places[0].notices == ["photos: 1 other files are not read"]
    monkeypatch.chdir("/")  # as a worker may
    _, rows = read(places, reader, 2, tmp_path)
    inputs = ["photos/a.png", "photos/b.jpg", "photos/a.png", "/abs.png", "s3://bucket/b.png"]
    assert [columns["image"] for _, columns, _ in rows] == inputs
    absolute = [f"{tmp_path}/{name}" if name[0] == "p" else name for name in inputs]
    assert [inputs for _, _, inputs in rows] == [str({"image": name}) for name in absolute]


def test_patterns_are_files_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt", "[c].txt", "d.csv"):
        Path(name).touch()
    assert find_places(["*.txt", "d.csv"]) == ["[c].txt", "a.txt", "b.txt", "d.csv"]
    assert find_places(["[c].txt"]) == ["[c].txt"]
    for place, message in [
        ("*.tsv", "--input *.tsv: expected files that match, got none; correct the pattern"),
        ("-", "--input -: expected files that workers can read, got a pipe; name files"),
    ]:
        with pytest.raises(UserError) as caught:
            find_places(["a.txt", place])
        assert message in str(caught.value)


def test_what_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(UserError, match=r"a\.parquet: expected a Parquet file, got .*write it"):
        open_place(str(tmp_path / "a.parquet"), RowReader("turn", INPUTS, {}), "test")
