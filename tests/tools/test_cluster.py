"""The tools of a cluster, with other processes in the place of Flink's."""

import os
import random
import re
import signal
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from tools.cluster import fault_injectors, flink
from tools.cluster.components import FLINK, Components, check_jars, default_home
from tools.cluster.flink import Cluster
from tools.cluster.processes import Processes, started

SLEEP = ["sleep", "100"]


@pytest.fixture
def processes(tmp_path):
    made = Processes(tmp_path / "run")
    yield made
    for name in made.names():
        made.stop(name)


def reap(pid):
    """The end of a child, which elsewhere the system's first process waits for."""
    os.waitpid(pid, 0)


@pytest.fixture
def fetched(tmp_path):
    """A folder of Maven with two jars, and the list of their checksums."""
    lines = []
    for name in ("a/1/a-1.jar", "b c/2/b-2.jar"):
        path = tmp_path / "repository" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
        lines.append(f"{sha256(name.encode()).hexdigest()}  {name}\n")
    checksums = tmp_path / "checksums.txt"
    checksums.write_text("".join(lines))
    return tmp_path / "repository", checksums


def test_jars_are_those_of_the_list(fetched):
    check_jars(*fetched)


@pytest.mark.parametrize("name", ["a/1/a-1.jar", "b c/2/b-3.jar"])
def test_a_jar_that_is_another_one_is_refused(fetched, name):
    (fetched[0] / name).write_bytes(b"another one")
    with pytest.raises(
        UserError, match=f"expected the jars in .*checksums.txt, got others: {name};"
    ):
        check_jars(*fetched)


def test_what_is_fetched_for_flink_is_pinned_with_hashes():
    tools = Path(flink.__file__).parents[1]
    for name, package in (("flink", "apache-flink"), ("flink-jars", "apache-flink-libraries")):
        text = (tools / "requirements" / f"{name}.txt").read_text()
        assert f"\n{package}=={FLINK} \\\n    --hash=sha256:" in text
    lines = (tools / "cluster/job_server/checksums.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[0-9a-f]{64}  \S+\.jar", line) for line in lines)
    pom = (tools / "cluster/job_server/pom.xml").read_text()
    (beam,) = re.findall("<beam.version>(.+)<", pom)
    assert any(
        f"beam-runners-flink-{FLINK.rpartition('.')[0]}-{beam}.jar" in line for line in lines
    )


def test_a_process_is_started_once_and_tracked_until_it_ends(processes):
    assert processes.start("one", SLEEP, os.environ)
    pid = processes.pid("one")
    assert not processes.start("one", SLEEP, os.environ)
    assert processes.pid("one") == pid
    assert processes.kill("one")
    reap(pid)
    assert not processes.kill("one")
    assert processes.names() == ["one"]


def test_a_process_that_ends_before_the_signal_was_not_there(processes, monkeypatch):
    processes.start("one", SLEEP, os.environ)

    def gone(pid, number):
        raise ProcessLookupError

    with monkeypatch.context() as patched:
        patched.setattr(os, "killpg", gone)
        assert not processes.kill("one")
    assert processes.kill("one")


def test_processes_are_stopped_where_the_cluster_fails_to_start(tmp_path, monkeypatch):
    cluster = Cluster(tmp_path)
    monkeypatch.setattr(Components, "check", lambda self: None)
    monkeypatch.setattr(flink, "_check_ports", lambda: None)
    monkeypatch.setattr(Cluster, "_configure", lambda self, workers, memory: dict(os.environ))
    monkeypatch.setattr(Cluster, "_job_server", lambda self: SLEEP)
    scripts = cluster.components.flink / "bin"
    scripts.mkdir(parents=True)
    for name in ("jobmanager.sh", "taskmanager.sh"):
        (scripts / name).write_text("#!/bin/sh\nexec sleep 100\n")
        (scripts / name).chmod(0o755)
    cluster.processes.start("jobmanager", SLEEP, os.environ)
    ran, started_here = cluster.processes.pid("jobmanager"), []

    def fail(workers):
        started_here.extend(map(cluster.processes.pid, cluster.processes.names()))
        raise UserError("jobserver", "a running process", "it ended", "see its log")

    monkeypatch.setattr(cluster, "_await", fail)
    with pytest.raises(UserError, match="it ended"):
        cluster.start(2, 1024)
    assert len(started_here) == 4
    assert cluster.processes.names() == ["jobmanager"]
    assert started(ran) is not None
    assert [pid for pid in started_here if started(pid) is not None] == [ran]
    cluster.stop()


def test_a_reserved_cluster_is_waited_for(tmp_path):
    order, cluster = [], Cluster(tmp_path)

    def wait():
        with Cluster(tmp_path).reserved():
            order.append("second")

    waiter = threading.Thread(target=wait)
    with cluster.reserved():
        waiter.start()
        waiter.join(0.2)
        order.append("first")
    waiter.join()
    assert order == ["first", "second"]


def test_a_variable_names_the_folder(tmp_path, monkeypatch):
    assert default_home().name.startswith("flink-")
    monkeypatch.setenv("RNNPIPE_FLINK", str(tmp_path))
    assert default_home() == tmp_path


def test_nothing_is_injected_into_a_process_that_has_ended(processes):
    rng = random.Random(1)
    assert not fault_injectors.kill_forker(2**22 + 1, None, rng)
    processes.start("one", ["sh", "-c", "sleep 100 & wait"], os.environ)
    main = processes.pid("one")
    while not fault_injectors.kill_forker(main, None, rng):
        assert started(main)
    reap(main)  # its child was all it waited for
    assert not fault_injectors.kill_main(main, None, rng)
    assert not fault_injectors.kill_worker(main, None, rng)


def test_an_unreaped_process_counts_as_ended(processes):
    processes.start("one", SLEEP, os.environ)
    pid = processes.pid("one")
    os.kill(pid, signal.SIGKILL)
    while started(pid):
        pass
    assert not fault_injectors.kill_main(pid, None, random.Random(1))
    reap(pid)
