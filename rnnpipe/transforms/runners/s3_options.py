"""Beam's options for S3, applied to all that a build reads and writes."""

import argparse
import json
import os
from collections.abc import Mapping, Sequence

_VARIABLES = {
    "s3_access_key_id": "AWS_ACCESS_KEY_ID",
    "s3_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "s3_session_token": "AWS_SESSION_TOKEN",
    "s3_endpoint_url": "AWS_ENDPOINT_URL",
    "s3_region_name": "AWS_DEFAULT_REGION",
}


def use_s3_options(beam_args: Sequence[str]) -> None:
    """Exports Beam's S3 options to the environment, which local workers inherit.

    Args:
        beam_args: Beam's options, e.g. `--s3_endpoint_url=http://localhost:9000`.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in _VARIABLES:
        parser.add_argument(f"--{name}")
    known, _ = parser.parse_known_args(list(beam_args))
    _export(vars(known))


def use_s3_options_from_json(pipeline_options: str) -> None:
    """The same in a worker.

    Args:
        pipeline_options: the options as a runner hands them to its workers, JSON.
    """
    options = json.loads(pipeline_options or "{}")
    _export({name: options.get(f"beam:option:{name}:v1") for name in _VARIABLES})


def _export(options: Mapping[str, str | None]) -> None:
    for name, value in options.items():
        if value:
            os.environ[_VARIABLES[name]] = value
