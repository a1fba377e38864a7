from pydoc_data.topics import topics

from rnnpipe.sources.generated.python_topics import PythonTopics
from tests.sources.reading import ignore_progress


def test_every_paragraph_of_the_topics_is_kept_once(tmp_path):
    source = PythonTopics(path=tmp_path / "raw")
    source.prepare(ignore_progress)
    texts = [path.read_text(encoding="utf-8") for path in source.raw_files()]
    kept = [p.strip() for text in texts for p in text.split("\n\n")]
    assert len(kept) == len(set(kept))
    assert set(kept) == {p.strip() for text in topics.values() for p in text.split("\n\n")}
    assert source.split_names == {"train"}


def test_it_is_written_once(tmp_path):
    source = PythonTopics(path=tmp_path / "raw")
    source.prepare(ignore_progress)
    before = {path: path.stat().st_mtime_ns for path in source.raw_files()}
    again = PythonTopics(path=tmp_path / "raw")
    again.prepare(ignore_progress)
    assert {path: path.stat().st_mtime_ns for path in again.raw_files()} == before
