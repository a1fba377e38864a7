from collections import Counter

import apache_beam as beam
import pytest
from apache_beam.metrics.metric import MetricsFilter

from tests.transforms.recipes.backbone import write_weights


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A file of weights of the tests' backbone."""
    path = tmp_path_factory.mktemp("weights") / "mobilenet.weights.h5"
    write_weights(path)
    return path


@pytest.fixture
def read_counters(monkeypatch):
    """Says what the counters of all pipelines that the test has run come to together."""
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
