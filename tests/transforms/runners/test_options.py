from types import SimpleNamespace

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.portable_runner import PortableRunner

from rnnpipe.errors import UserError
from rnnpipe.transforms.runners.options import check_options, check_with_server
from rnnpipe.transforms.runners.runner import Runner

FLINK = ["--runner=FlinkRunner", "--flink_master=localhost:8081"]
ELSEWHERE = "apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--flink_mastr=here"], "got --flink_mastr; did you mean --flink_master?"),
        (["--job_name", "x", "--job-name", "y"], "got --job-name; did you mean --job_name?"),
        (["--fresh_paint", "red"], "got --fresh_paint; correct it or leave it out"),
        (["-x"], "got -x; correct it or leave it out"),
        (["job"], "got job; correct it or leave it out"),
        (
            ["--parallelism=many"],
            "got argument --parallelism: invalid int value: 'many'; correct it",
        ),
    ],
)
def test_options_that_beam_would_discard_are_reported(args, message):
    with pytest.raises(UserError) as fault:
        Runner(beam_args=args).check()
    assert str(fault.value).startswith("options after `--`: expected ")
    assert str(fault.value).endswith(message)


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["--job_name", "x", "--s3_endpoint_url=http://localhost:9000", "--experiments=a"],
        [*FLINK, "--parallelism", "4", "--environment_config={}", "--environment_type=PROCESS"],
        [*FLINK, "--checkpointing_interval=60000", "--gcp_temp_location=gs://b/t"],  # the server's
        [f"--runner={ELSEWHERE}", "--fresh_paint=red"],  # nobody knows what this runner takes
    ],
)
def test_options_unknown_here_may_be_known_to_the_runner(args):
    Runner(beam_args=args).check()


def test_a_mistake_is_reported_before_any_server_is_contacted():
    with pytest.raises(UserError, match=r"did you mean --flink_master\?"):
        Runner(beam_args=["--runner=FlinkRunner", "--flink_mastr=localhost:8081"]).check()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Flank", r"--runner Flank: expected a runner .*, got Unexpected pipeline runner: Flank"),
        ("no_such.Runner", "got No module named 'no_such'; correct it or install it"),
        ("json.Runner", "got module 'json' has no attribute 'Runner'"),
    ],
)
def test_an_unknown_runner_is_reported(name, message):
    with pytest.raises(UserError, match=message):
        Runner(beam_args=[f"--runner={name}"]).check()


def test_options_of_a_custom_runner_are_accepted():
    class FlavourOptions(PipelineOptions):
        @classmethod
        def _add_argparse_args(cls, parser):
            parser.add_argument("--flavour")

    check_options(["--flavour=sweet"])
    with pytest.raises(UserError, match="got --flavor; did you mean --flavour"):
        check_options(["--flavor=sweet"])


@pytest.mark.parametrize(
    ("names", "args", "message"),
    [
        (["state_backend", "job_name"], ["--state_backend=rocksdb", "--job_name=x"], None),
        (["state_backend"], ["--state_backend"], None),
        (["state_backend"], ["--state_backnd=rocksdb"], "did you mean --state_backend"),
        (["state_backend"], ["--fresh_paint=red"], "got --fresh_paint; correct it or leave it out"),
        ([], ["--fresh_paint=red"], None),
    ],
)
def test_options_are_checked_with_the_job_server(names, args, message):
    options = [SimpleNamespace(name=name) for name in names]
    service = SimpleNamespace(
        DescribePipelineOptions=lambda request, timeout: SimpleNamespace(options=options)
    )
    runner = PortableRunner()
    check_with_server(runner, args)
    if message:
        with pytest.raises(UserError, match=message):
            runner.create_job_service_handle(service, PipelineOptions(args))
    else:
        handle = runner.create_job_service_handle(service, PipelineOptions(args))
        assert handle.job_service is service
