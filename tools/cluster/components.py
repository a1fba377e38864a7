"""The components of the cluster: Flink from PyPI, and Beam's job server for it through Maven."""

import hashlib
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
_CHECKSUMS = _POM.with_name("checksums.txt")
_REQUIREMENTS = Path(__file__).parents[1] / "requirements"
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
            pinned = ["-q", "--no-deps", "--require-hashes", "-r"]
            # What would build it in an environment of its own has no hashes.
            jars = [
                str(_REQUIREMENTS / "flink-jars.txt"),
                "--no-build-isolation",
                "-t",
                str(folder),
            ]
            _run([*pip, "install", *pinned, *jars], "Flink's jars")
            scripts = [str(_REQUIREMENTS / "flink.txt"), *_WHEEL, f"--dest={temporary}"]
            _run([*pip, "download", *pinned, *scripts], "Flink's scripts")
            (path,) = Path(temporary).glob("*.whl")
            with ZipFile(path) as wheel:
                wheel.extractall(folder)
        for script in (self.flink / "bin").glob("*.sh"):
            script.chmod(0o755)

    def _install_job_server(self) -> None:
        print("Beam's job server: about 150 MB of libraries through Maven", flush=True)
        folder = self.home / "job-server"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(_POM, folder)
        repository = folder / "repository"  # of its own, so that it holds nothing else
        options = ["--batch-mode", "--quiet", "--strict-checksums"]
        options += [f"-Dmaven.repo.local={repository}", f"--file={folder / _POM.name}"]
        _run(["mvn", *options, "package"], "Maven")
        check_jars(repository)
        (folder / "target" / "flink-job-server-1.jar").rename(self.job_server)
        shutil.rmtree(folder)


def check_jars(repository: Path, checksums: Path = _CHECKSUMS) -> None:
    """Compares what Maven has fetched with the list of this project.

    Args:
        repository: the folder of Maven.
        checksums: the list, as `sha256sum` writes it.

    Raises:
        UserError: a file is another one, or is not in the list.
    """
    lines = (line.split(maxsplit=1) for line in checksums.read_text(encoding="utf-8").splitlines())
    expected = {name: checksum for checksum, name in lines}
    found = {
        path.relative_to(repository).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in repository.rglob("*.jar")
    }
    others = sorted(name for name, checksum in found.items() if expected.get(name) != checksum)
    if others:
        more = f" and {len(others) - 3:,} more" if len(others) > 3 else ""
        got = f"others: {', '.join(others[:3])}{more}"
        fix = "look where they come from; nothing was installed"
        raise UserError(str(repository), f"the jars in {checksums}", got, fix)


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
