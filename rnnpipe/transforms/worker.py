"""A local worker process: Beam's own, which prints errors and nothing else.

Beam's worker prints every step of its start and end, over the progress that the user watches.
"""

import logging
import sys

if __name__ == "__main__":
    # Before Beam is imported: a logging system that has a handler is not given another one.
    errors = logging.StreamHandler()
    errors.setLevel(logging.ERROR)
    logging.getLogger().addHandler(errors)

    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)
