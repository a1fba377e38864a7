"""The components of the cluster: Flink from PyPI, and Beam's job server for it through Maven."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from rnnpipe.errors import UserError
from rnnpipe.storage.atomic import atomic_path
from rnnpipe.storage.cache import cache_folder

FLINK = "1.19.3"
_POM = Path(__file__).parent / "job_server" / "pom.xml"
_JAVA = range(11, 18)  # what Flink 1.19 runs on
_WHEEL = (  # any of them: the scripts and the configuration are the same in all
    "--only-binary=:all:",
    "--python-version=3.11",
    "--platform=manylinux2014_x86_64",
)


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
        return self.home / "flink" / "pyflink"

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
        """Its files alone: as a package it needs an old Python, and an old Beam."""
        print(f"Flink {FLINK}: about 230 MB from PyPI", flush=True)
        pip = [sys.executable, "-m", "pip"]
        with TemporaryDirectory() as temporary, atomic_path(self.home / "flink") as folder:
            libraries = f"apache-flink-libraries=={FLINK}"
            _run([*pip, "install", "-q", "--no-deps", "-t", str(folder), libraries], "Flink's jars")
            wheel = [*_WHEEL, f"--dest={temporary}", f"apache-flink=={FLINK}"]
            _run([*pip, "download", "-q", "--no-deps", *wheel], "Flink's scripts")
            (path,) = Path(temporary).glob("*.whl")
            with ZipFile(path) as scripts:
                scripts.extractall(folder)
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
