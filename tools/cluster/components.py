"""The components of the cluster: Flink from PyPI, and Beam's job server for it through Maven."""

import os
import re
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from rnnpipe.errors import UserError
from rnnpipe.storage.atomic import atomic_path
from rnnpipe.storage.cache import cache_folder

FLINK = "1.19.3"
_POM = Path(__file__).parent / "job_server" / "pom.xml"
_JAVA = range(11, 18)  # what Flink 1.19 runs on


@dataclass(frozen=True)
class Components:
    """Where the components lie.

    Args:
        home: the folder of all components.
    """

    home: Path

    @property
    def flink(self) -> Path:
        """What Flink's own documentation calls FLINK_HOME."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.home / "venv" / "lib" / version / "site-packages" / "pyflink"

    @property
    def job_server(self) -> Path:
        """The job server with all that it needs, one jar."""
        return self.home / "job-server.jar"

    @property
    def missing(self) -> list[str]:
        """Which components are missing, in words."""
        components = {
            f"Java {_JAVA.start} to {_JAVA.stop - 1}": java_version() in _JAVA,
            f"Flink {FLINK}": (self.flink / "lib").is_dir(),
            "Beam's job server": self.job_server.is_file(),
        }
        return [name for name, there in components.items() if not there]

    def check(self) -> None:
        """Refuses to go on without the components.

        Raises:
            UserError: a component is missing.
        """
        if self.missing:
            raise UserError(
                str(self.home),
                "the components of a Flink cluster",
                f"no {' and no '.join(self.missing)}",
                "run `python -m tools.cluster.flink install`",
            )

    def check_tools(self) -> None:
        """Refuses to go on where the components cannot be fetched, or not be used.

        Raises:
            UserError: Java is missing, or Maven is, where there is no job server yet.
        """
        version = java_version()
        if version not in _JAVA:
            raise UserError(
                "java",
                f"Java {_JAVA.start} to {_JAVA.stop - 1} on the PATH",
                f"Java {version}" if version else "none",
                "install e.g. openjdk-17-jre-headless",
            )
        if not self.job_server.is_file() and shutil.which("mvn") is None:
            raise UserError("mvn", "Maven on the PATH", "none", "install e.g. the package maven")

    def install(self) -> None:
        """Fetches what is missing; components that exist are kept.

        Raises:
            UserError: Java or Maven is missing, or a component cannot be fetched.
        """
        self.check_tools()
        if not self.job_server.is_file():
            self._install_job_server()
        if not (self.flink / "lib").is_dir():
            self._install_flink()

    def _install_flink(self) -> None:
        """Into an environment of its own: with its dependencies Flink asks for an old Beam."""
        print(f"Flink {FLINK}: about 230 MB from PyPI", flush=True)
        folder = self.home / "venv"
        packages = [f"apache-flink-libraries=={FLINK}", f"apache-flink=={FLINK}"]
        # Only the files are used: an environment itself cannot be moved.
        with atomic_path(folder) as unfinished:
            venv.create(unfinished, with_pip=True)
            pip = [unfinished / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps"]
            _run([*map(str, pip), *packages], "Flink from PyPI")
            shutil.rmtree(folder, ignore_errors=True)
        for script in (self.flink / "bin").glob("*.sh"):
            script.chmod(0o755)

    def _install_job_server(self) -> None:
        print("Beam's job server: about 150 MB of libraries through Maven", flush=True)
        folder = self.home / "job-server"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(_POM, folder)
        _run(["mvn", "--batch-mode", "--quiet", f"--file={folder / _POM.name}", "package"], "Maven")
        (folder / "target" / "flink-job-server-1.jar").rename(self.job_server)
        shutil.rmtree(folder)


def default_home() -> Path:
    """The folder that `RNNPIPE_FLINK` names, or one in the user's cache."""
    named = os.environ.get("RNNPIPE_FLINK")
    return Path(named).absolute() if named else cache_folder(f"flink-{FLINK}")


def java_version() -> int | None:
    """The major version of the Java on the PATH."""
    if shutil.which("java") is None:
        return None
    output = subprocess.run(
        ["java", "-version"], capture_output=True, text=True, check=False
    ).stderr
    version = re.search(r'version "(\d+)', output)
    return int(version[1]) if version else None


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        output = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
        end = "\n  ".join(output[-8:])
        raise UserError(
            what, "to be fetched", f"exit code {done.returncode}:\n  {end}", "try again"
        )
