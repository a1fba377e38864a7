"""A build on a Flink cluster writes the bytes that a local one writes."""

import os

import apache_beam as beam
import pytest

from rnnpipe.errors import UserError
from rnnpipe.records.manifest import MANIFEST
from rnnpipe.sources.text.parallel import Parallel
from rnnpipe.transforms.build import Build
from rnnpipe.transforms.runners.runner import Runner
from tests.transforms.kinds import KINDS, contents
from tests.transforms.passes.duplicated import DUPLICATED, check_duplicates


# One kind is always tried, the others are asked for.
@pytest.mark.parametrize(
    "kind", [k if k == "text_pair" else pytest.param(k, marks=pytest.mark.cluster) for k in KINDS]
)
def test_flink_writes_and_counts_the_same_records(kind, cluster, tmp_path, read_counters):
    raw = KINDS[kind](tmp_path / "raw", 40, 1)
    build = raw.build(max_bad_fraction=0.2)
    here = build.run(tmp_path / "here")
    counted = read_counters()
    there = build.run(tmp_path / "there", runner=Runner(beam_args=cluster.options()))
    assert contents(here.path) == contents(there.path)
    assert read_counters() == counted
    assert counted["dead_letters"] == len(raw.dead)


@pytest.mark.cluster
@pytest.mark.parametrize("kind", DUPLICATED)
def test_flink_drops_the_same_duplicates(kind, cluster, tmp_path, read_counters):
    repeated = DUPLICATED[kind](tmp_path / "raw")
    here = repeated.build.run(tmp_path / "here")
    counted = read_counters()
    there = repeated.build.run(tmp_path / "there", runner=Runner(beam_args=cluster.options()))
    check_duplicates(repeated, there)
    assert contents(here.path) == contents(there.path)
    assert read_counters() == counted


@pytest.mark.cluster
def test_options_that_flink_s_job_server_adds_are_known(cluster, tmp_path):
    def run(option):
        runner = Runner(beam_args=[*cluster.options(), option])
        runner.run(lambda pipeline: pipeline | beam.Create([1]))

    run("--checkpointing_interval=60000")
    with pytest.raises(UserError, match="did you mean --checkpointing_interval"):
        run("--checkpoint_interval=60000")


@pytest.mark.cluster
def test_flink_reads_from_a_store_and_writes_to_it(cluster, tmp_path, bucket):
    raw = KINDS["text_pair"](tmp_path / "raw", 40, 1)
    build = raw.build(max_bad_fraction=0.2)
    here = build.run(tmp_path / "here")
    for name, content in contents(tmp_path / "raw").items():
        (bucket / "raw" / name).write_bytes(content)
    source = Parallel(path=bucket / "raw", source="de", target="en")
    source.prepare(lambda done, total: None)
    options = {"records_per_shard": build.records_per_shard, "max_bad_fraction": 0.2}
    # Workers were started before there was a store: only Beam's options tell them of it.
    arguments = [
        f"--s3_endpoint_url={os.environ['AWS_ENDPOINT_URL']}",
        f"--s3_access_key_id={os.environ['AWS_ACCESS_KEY_ID']}",
        f"--s3_secret_access_key={os.environ['AWS_SECRET_ACCESS_KEY']}",
    ]
    there = Build(source, build.recipe, build.shares, **options).run(
        bucket / "records", runner=Runner(beam_args=[*cluster.options(), *arguments])
    )
    there.fetch()
    written = contents(here.path)
    assert written.pop(MANIFEST)  # in a store it lies elsewhere
    assert written == contents(there.path)
