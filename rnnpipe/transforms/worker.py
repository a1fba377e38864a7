"""A worker process: Beam's own, started by the local runner or by a cluster's worker host.

Beam's worker prints every step of its start and end, over the progress that the user watches; this
one prints errors and nothing else. On a cluster it is the command of a `PROCESS` environment:

    --environment_type=PROCESS --environment_config={"command":"<a script that runs this module>"}
"""

import argparse
import logging
import os
import sys


def _ask_for_addresses(worker: str, provision_endpoint: str) -> None:
    """Asks the cluster what the local runner puts into the environment."""
    import grpc
    from apache_beam.portability.api import beam_provision_api_pb2 as messages
    from apache_beam.portability.api import beam_provision_api_pb2_grpc as services
    from google.protobuf import json_format, text_format

    with grpc.insecure_channel(provision_endpoint) as channel:
        service = services.ProvisionServiceStub(channel)
        request = messages.GetProvisionInfoRequest()
        info = service.GetProvisionInfo(request, metadata=[("worker_id", worker)]).info
    os.environ["WORKER_ID"] = worker
    os.environ["CONTROL_API_SERVICE_DESCRIPTOR"] = text_format.MessageToString(
        info.control_endpoint
    )
    os.environ["LOGGING_API_SERVICE_DESCRIPTOR"] = text_format.MessageToString(
        info.logging_endpoint
    )
    os.environ["PIPELINE_OPTIONS"] = json_format.MessageToJson(info.pipeline_options)


if __name__ == "__main__":
    # Before Beam is imported: a logging system that has a handler is not given another one.
    errors = logging.StreamHandler()
    errors.setLevel(logging.ERROR)
    logging.getLogger().addHandler(errors)
    parser = argparse.ArgumentParser()
    parser.add_argument("--id")
    parser.add_argument("--provision_endpoint")
    given, _ = parser.parse_known_args()
    if given.id is not None:
        _ask_for_addresses(given.id, given.provision_endpoint)

    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv[:1])
