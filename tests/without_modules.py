"""`rnnpipe` where some modules are not installed.

python -m tests.without_modules "MODULE …" VERB …
"""

import sys

from rnnpipe import cli
from tests.light_core import Absent

if __name__ == "__main__":
    Absent(sys.argv[1].split())
    sys.exit(cli.main(sys.argv[2:]))
