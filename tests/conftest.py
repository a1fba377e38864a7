"""Fixtures that the whole suite shares."""

import gzip
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from PIL import Image

from rnnpipe.errors import UserError
from rnnpipe.sources.generated.shapes import write_shapes
from rnnpipe.sources.videos.files import encode_video
from rnnpipe.storage.store_path import StorePath
from tests.graphs import free_graphs
from tests.interpreter import Interpreter
from tools.cluster.components import default_home
from tools.cluster.flink import Cluster
from tools.cluster.s3 import S3_KEYS, serving_s3

FLINK = default_home()  # not that of a test, which has a cache of its own


@pytest.fixture(scope="module", autouse=True)
def _memory_of_graphs() -> Iterator[None]:
    """Frees the models and graphs of a file's tests; without it, the whole suite held 20 GB."""
    yield
    free_graphs()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of third-party data beside the checkout; tests that need it skip without it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no third-party data: {folder} is not there")
    return folder


@pytest.fixture(scope="session")
def other_process() -> Iterator[Callable[..., None]]:
    """Runs sources in a process of a backend; `serving` ones in another that has never seen us."""
    running: dict[tuple[str, bool], Interpreter] = {}

    def run(
        source: str, *arguments: object, backend: str = "tensorflow", serving: bool = False
    ) -> None:
        if (backend, serving) not in running:
            running[backend, serving] = Interpreter(backend)
        running[backend, serving].run(source, *map(str, arguments))

    yield run
    for interpreter in running.values():
        interpreter.close()


LOAD = """
import sys, numpy, keras, rnnpipe.layers
model = keras.models.load_model(sys.argv[1] + "/model.keras")
given = numpy.load(sys.argv[1] + "/given.npz")
inputs = dict(given) if sys.argv[2] == "named" else [given[name] for name in given.files]
found = map(keras.ops.convert_to_numpy, keras.tree.flatten(model(inputs)))
numpy.savez(sys.argv[1] + "/found.npz", *found)
"""


@pytest.fixture
def predict_elsewhere(other_process, tmp_path) -> Callable[..., list[np.ndarray]]:
    """What a model says, once saved and loaded in another process: its outputs, flattened."""

    def predict(model: Any, inputs: list[Any] | dict[str, Any]) -> list[np.ndarray]:
        model.save(tmp_path / "model.keras")
        if isinstance(inputs, dict):
            np.savez(tmp_path / "given.npz", **inputs)
        else:
            np.savez(tmp_path / "given.npz", *inputs)
        other_process(LOAD, tmp_path, "named" if isinstance(inputs, dict) else "in order")
        return list(np.load(tmp_path / "found.npz").values())

    return predict


@pytest.fixture(scope="session")
def _s3() -> Iterator[str]:
    with serving_s3() as address:
        yield address


@pytest.fixture
def bucket(_s3, monkeypatch) -> StorePath:
    """An empty bucket of an S3 server on this machine, and the environment to reach it."""
    for name, value in S3_KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", _s3)
    fsspec.filesystem("s3").clear_instance_cache()
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    fsspec.filesystem("s3").mkdir(name)
    return StorePath(f"s3://{name}")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """The Flink cluster of `tools/cluster`, started here and stopped again.

    Where its parts are missing they are fetched first; only without Java or Maven nothing is tried.
    """
    made = Cluster(FLINK)
    try:
        made.components.check_tools()
    except UserError as fault:
        pytest.skip(f"NO BUILD ON FLINK WAS TRIED: {fault}")
    with made.reserved():
        made.components.install()
        was_running = bool(made.processes.names())
        made.start(workers=2, memory=1024)
        yield made
        if not was_running:
            made.stop()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """No test reads or fills the user's own cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def drawn_vqa(tmp_path) -> Path:
    """A folder of 24 drawn scenes with four questions each, as VQA v2.0 files."""
    folder = tmp_path / "raw"
    write_shapes(
        folder,
        images=24,
        size=32,
        seed=1,
        questions_per_image=4,
        disagreement=0.1,
        progress=lambda done, total: None,
    )
    return folder


@pytest.fixture
def handmade_vqa(tmp_path) -> Path:
    """Three photos and four questions whose records can be written down, as VQA v2.0 files."""
    folder = tmp_path / "handmade"
    images = folder / "train2014"
    images.mkdir(parents=True)
    for number, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255)], start=1):
        name = f"COCO_train2014_{number:012d}.jpg"
        Image.new("RGB", (40, 20), colour).save(images / name, quality=95)
    asked = [
        (10, 1, "What color is it?", ["red"] * 8 + ["Red."] * 2),
        (11, 1, "Is it red?", ["yes"] * 9 + ["no"]),
        (20, 2, "What color is it?", ["green"] * 10),
        (30, 3, "How many are there?", ["2"] * 5 + ["two"] * 5),
    ]
    questions = [
        {"question_id": number, "image_id": image, "question": question}
        for number, image, question, _ in asked
    ]
    annotations = [
        {
            "question_id": number,
            "image_id": image,
            "question_type": " ".join(question.lower().split()[:2]),
            "answer_type": "other",
            "multiple_choice_answer": answers[0],
            "answers": [
                {"answer": answer, "answer_confidence": "yes", "answer_id": i}
                for i, answer in enumerate(answers, start=1)
            ],
        }
        for number, image, question, answers in asked
    ]
    header = {"data_type": "mscoco", "data_subtype": "train2014", "info": {}, "license": {}}
    path = folder / "v2_OpenEnded_mscoco_train2014_questions.json"
    path.write_text(json.dumps({**header, "task_type": "Open-Ended", "questions": questions}))
    path = folder / "v2_mscoco_train2014_annotations.json.gz"
    path.write_bytes(gzip.compress(json.dumps({**header, "annotations": annotations}).encode()))
    return folder


@pytest.fixture(scope="session")
def write_clip():
    """Writes a video of grey frames, which their levels tell apart, and makes its folder."""

    def write(path: Path, levels: list[int], rate: float = 10, size: tuple[int, int] = (16, 16)):
        path.parent.mkdir(parents=True, exist_ok=True)
        encode_video(path, (Image.new("RGB", size, (n, n, n)) for n in levels), rate)
        return path

    return write


@pytest.fixture
def read_counters(monkeypatch):
    """Says what the counters of all pipelines that the test has run come to together."""
    import apache_beam as beam
    from apache_beam.metrics.metric import MetricsFilter

    results, run = [], beam.Pipeline.run

    def run_and_keep(pipeline):
        results.append(run(pipeline))
        return results[-1]

    def read():
        ours = MetricsFilter().with_namespace("rnnpipe")
        counters = Counter()
        for result in results:
            for counter in result.metrics().query(ours)["counters"]:
                counters[counter.key.metric.name] += counter.result
        results.clear()
        return dict(counters)

    monkeypatch.setattr(beam.Pipeline, "run", run_and_keep)
    return read
