"""Folders of videos with labels."""

import pytest


@pytest.fixture
def folder(tmp_path, write_clip):
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        write_clip(tmp_path / name, [10, 20, 30, 40])
    (tmp_path / "clips.csv").write_text(
        "clip,label,split\na.mp4,walk,train\nb.mp4,run,val\nc.mp4,,test\n"
    )
    return tmp_path


@pytest.fixture
def grid(tmp_path, write_clip):
    write_clip(tmp_path / "clips" / "s1" / "bbaf2n.mp4", [0, 50], rate=1)
    words = ["sil", "bin", "blue", "at", "f", "sp", "two", "now", "sil"]
    lines = [f"{5000 * n} {5000 * (n + 1)} {word}\n" for n, word in enumerate(words)]
    (tmp_path / "align" / "s1").mkdir(parents=True)
    (tmp_path / "align" / "s1" / "bbaf2n.align").write_text("".join(lines))
    return tmp_path
