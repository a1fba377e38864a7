"""A build on a Flink cluster writes the bytes that a local one writes.

The cluster is that of `tools/cluster`, started here and stopped again. Where its parts are missing
they are fetched first; only where there is no Java or Maven, nothing is tried.
"""

import os

import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.runner import Runner
from tests.transforms.kinds import KINDS, contents
from tools.cluster.flink import Cluster
from tools.cluster.parts import default_home

HOME = default_home()  # not that of a test, which has a cache of its own


@pytest.fixture(scope="module")
def cluster():
    made = Cluster(HOME)
    try:
        made.parts.check_tools()
    except UserError as fault:
        pytest.skip(f"NO BUILD ON FLINK WAS TRIED: {fault}")
    with made.reserved():
        made.parts.install()
        was_running = bool(made.processes.names())
        made.start(workers=2, memory=1024)
        yield made
        if not was_running:
            made.stop()


# One kind is always tried, the others are asked for.
@pytest.mark.parametrize(
    "kind", [k if k == "text_pair" else pytest.param(k, marks=pytest.mark.cluster) for k in KINDS]
)
def test_flink_writes_the_same_bytes_as_this_process(kind, cluster, tmp_path):
    raw = KINDS[kind](tmp_path / "raw", 40, 1)
    build = raw.build(max_bad_fraction=0.2)
    here = build.run(tmp_path / "here")
    there = build.run(tmp_path / "there", runner=Runner(beam_args=cluster.options()))
    assert contents(here.path) == contents(there.path)


@pytest.mark.cluster
def test_flink_reads_from_a_store_and_writes_to_it(cluster, tmp_path, bucket):
    raw = KINDS["text_pair"](tmp_path / "raw", 40, 1)
    build = raw.build(max_bad_fraction=0.2)
    here = build.run(tmp_path / "here")
    for name, content in contents(tmp_path / "raw").items():
        (bucket / "raw" / name).write_bytes(content)
    source = Parallel(bucket / "raw", source="de", target="en")
    source.prepare(lambda done, total: None)
    options = {"records_per_shard": build.records_per_shard, "max_bad_fraction": 0.2}
    # Workers were started before there was a store: only Beam's options tell them of it.
    told = [
        f"--s3_endpoint_url={os.environ['AWS_ENDPOINT_URL']}",
        f"--s3_access_key_id={os.environ['AWS_ACCESS_KEY_ID']}",
        f"--s3_secret_access_key={os.environ['AWS_SECRET_ACCESS_KEY']}",
    ]
    there = Build(source, build.recipe, build.shares, **options).run(
        bucket / "records", runner=Runner(beam_args=[*cluster.options(), *told])
    )
    there.fetch()
    assert contents(here.path) == contents(there.path)
