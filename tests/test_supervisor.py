"""The process that runs the others: with real children, small ones."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from helpdesk.supervisor import Program, Stopping, Supervisor, stopped_by_signals

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"]
DIES = [sys.executable, "-c", "raise SystemExit(3)"]
# Starts a grandchild and tells its number.
PARENT = [sys.executable, "-c", f"import subprocess, time; print(subprocess.Popen({SLEEPS!r}).pid, flush=True); time.sleep(60)"]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def supervise(tmp_path, told):
    """Starts programs, and leaves none behind."""
    started = []

    def start(**argvs):
        programs = [Program(name, argv) for name, argv in argvs.items()]
        supervisor = Supervisor(programs, env=os.environ, log_dir=tmp_path, tell=told.append)
        started.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()


def wait_for(condition, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def pause(microseconds: int) -> None:
    """Busy: a sleep as short as this would last longer."""
    end = time.perf_counter() + microseconds / 1_000_000
    while time.perf_counter() < end:
        pass


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 /proc
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pids(supervisor: Supervisor) -> list[int]:
    return [program.process.pid for program in supervisor.programs if program.process]


def test_programs_when_stopped_then_end(supervise):
    supervisor = supervise(one=SLEEPS, two=SLEEPS)
    assert [is_alive(pid) for pid in pids(supervisor)] == [True, True]
    supervisor.stop()
    assert [program.process.returncode for program in supervisor.programs] == [-signal.SIGTERM] * 2


def test_program_when_deaf_to_term_then_is_killed(supervise, monkeypatch, tmp_path):
    monkeypatch.setattr("helpdesk.supervisor.STOP_SECONDS", 0.3)
    supervisor = supervise(deaf=DEAF)
    wait_for(lambda: (tmp_path / "deaf.log").read_text() == "up\n")
    supervisor.stop()
    assert supervisor.programs[0].process.returncode == -signal.SIGKILL


def test_program_when_it_dies_then_starts_again_after_its_pause_and_is_told(supervise, told, tmp_path):
    supervisor = supervise(web=DIES)
    supervisor.programs[0].process.wait()
    now = time.monotonic()
    supervisor.watch(now)
    supervisor.watch(now + 0.9)
    first = supervisor.programs[0].process.pid
    supervisor.watch(now + 1.1)
    assert supervisor.programs[0].process.pid != first
    assert told == [f"web stopped (exit 3); it starts again in 1 s. Its last words are in {tmp_path / 'web.log'}"]


def test_pauses_when_a_program_keeps_dying_then_grow_to_half_a_minute(supervise, told):
    supervisor, now = supervise(web=DIES), time.monotonic()
    for _death in range(7):
        supervisor.programs[0].process.wait()
        supervisor.watch(now)
        now += 30
        supervisor.watch(now)
        supervisor.programs[0].started_at = now
    assert [line.split(" in ")[1].split(" s.")[0] for line in told] == ["1", "2", "4", "8", "16", "30", "30"]


def test_pause_when_the_program_had_run_long_then_is_short_again(supervise, told):
    supervisor = supervise(web=DIES)
    supervisor.programs[0].deaths = 5
    supervisor.programs[0].process.wait()
    supervisor.watch(time.monotonic() + 61)
    assert [line.split(" in ")[1].split(" s.")[0] for line in told] == ["1"]


def test_grandchildren_when_their_parent_is_killed_then_end_too(supervise, tmp_path):
    supervisor = supervise(parent=PARENT)
    wait_for(lambda: (tmp_path / "parent.log").read_text().endswith("\n"))
    grandchild = int((tmp_path / "parent.log").read_text())
    supervisor.programs[0].process.kill()
    supervisor.programs[0].process.wait()
    supervisor.watch(time.monotonic())
    wait_for(lambda: not is_alive(grandchild))


def test_output_when_a_program_starts_again_then_is_added_to_its_log(supervise, tmp_path):
    (tmp_path / "hello.log").write_text("earlier\n")
    supervisor = supervise(hello=[sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr)"])
    supervisor.programs[0].process.wait()
    assert sorted((tmp_path / "hello.log").read_text().splitlines()) == ["earlier", "err", "out"]


def test_program_when_the_log_folder_is_gone_then_starts_again_all_the_same(supervise, tmp_path):
    supervisor = supervise(web=DIES)
    supervisor.programs[0].process.wait()
    supervisor.watch(time.monotonic())
    shutil.rmtree(tmp_path)
    supervisor.watch(time.monotonic() + 2)
    supervisor.programs[0].process.wait()
    assert (tmp_path / "web.log").exists()


def test_run_when_the_condition_holds_then_returns_while_programs_go_on(supervise):
    supervisor = supervise(one=SLEEPS)
    supervisor.run(Stopping(), until=lambda: True)
    assert supervisor.programs[0].process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_when_it_comes_then_sets_the_event_and_the_old_handler_returns(number):
    before = signal.getsignal(number)
    with stopped_by_signals() as stopping:
        assert not stopping.wait(0)
        os.kill(os.getpid(), number)
        assert stopping.wait(5)
    assert signal.getsignal(number) == before


def test_signals_when_they_come_in_bursts_then_none_waits_for_another():
    """`timeout` and `make` each pass on the one that they got. In a process of its own, which a deadlock may hang."""
    code = """
import signal, time
from helpdesk.supervisor import stopped_by_signals
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # between two rounds
for _round in range(400):
    with stopped_by_signals() as stopping:
        print("up", flush=True)
        while not stopping.wait(0.001):
            pass
        time.sleep(0.003)  # the rest of the burst
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        hung = threading.Timer(30, process.kill)
        hung.start()
        for _line in process.stdout:
            for microseconds in range(50):
                process.send_signal(signal.SIGTERM)
                pause(microseconds)
        hung.cancel()
    assert process.returncode == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children with their parent")
def test_children_when_the_supervisor_is_killed_then_end_too(tmp_path):
    code = f"""
import os, pathlib
from helpdesk.supervisor import Program, Stopping, Supervisor
supervisor = Supervisor([Program("child", {SLEEPS!r})], env=os.environ, log_dir=pathlib.Path({str(tmp_path)!r}), tell=print)
supervisor.start()
print(supervisor.programs[0].process.pid, flush=True)
supervisor.run(Stopping())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        child = int(supervisor.stdout.readline())
        assert is_alive(child)
        supervisor.kill()
    wait_for(lambda: not is_alive(child))
