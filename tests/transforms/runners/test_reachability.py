import socket

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from rnnpipe.errors import UserError
from rnnpipe.transforms.runners.reachability import check_reachable
from rnnpipe.transforms.runners.runner import Runner


@pytest.fixture
def port():
    """One at which nothing answers, until the test listens."""
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        yield taken


@pytest.mark.parametrize(
    "option", ["--job_endpoint=localhost:{}", "--flink_master=http://localhost:{}"]
)
def test_an_unreachable_address_is_reported(option, port):
    number = port.getsockname()[1]
    options = PipelineOptions([option.format(number)])
    with pytest.raises(UserError, match=f"localhost:{number}: expected a server that answers, got"):
        check_reachable(options)
    port.listen()
    check_reachable(options)


def test_local_addresses_are_not_contacted():
    check_reachable(PipelineOptions(["--job_endpoint=embed", "--flink_master=[local]"]))


def test_options_that_beam_refuses_are_reported():
    args = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=PROCESS"]
    message = "got a refusal: .*required for environment type PROCESS"
    with pytest.raises(UserError, match=message) as fault:
        Runner(beam_args=args).run(lambda pipeline: pipeline | beam.Create([1]))
    assert str(fault.value).endswith("; correct the options after `--`")
