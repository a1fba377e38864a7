import json
import sys

from tools.bench import history

CASES = {
    "LSTM forward": {
        "first": {"ours": 9.0, "keras": 1.0},
        "wall": {"ours": 2.0, "keras": 3.0, "torch": 1.0},
        "cpu": {"ours": 4.0, "keras": 9.0, "torch": 1.0},
    }
}


def test_runs_are_lines_of_a_file_and_columns_of_a_page(tmp_path, monkeypatch):
    runs, page = tmp_path / "new" / "runs.jsonl", tmp_path / "page.html"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    history.append_run(runs, "layers", CASES)
    history.append_run(runs, "layers", {"GRU <forward>": CASES["LSTM forward"]})
    first, second = map(json.loads, runs.read_text().splitlines())
    assert first["ratios"] == {
        "LSTM forward": {"keras": {"wall": 1.5, "cpu": 2.25}, "torch": {"wall": 0.5, "cpu": 0.25}}
    }
    assert first["threads"]["OMP_NUM_THREADS"] == "1"
    assert first["machine"] == second["machine"]
    assert {"keras", "tensorflow"} <= set(first["versions"])
    monkeypatch.setattr(sys, "argv", ["history", str(runs), "--page", str(page)])
    history.main()
    text = page.read_text()
    assert "<td>layers: LSTM forward</td><td>keras</td><td>1.50 (2.25)</td><td></td>" in text
    assert "<td>layers: GRU &lt;forward&gt;</td><td>torch</td><td></td><td>0.50 (0.25)</td>" in text
