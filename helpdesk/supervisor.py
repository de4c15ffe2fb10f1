"""Runs a few programs under one process: starts them, starts again what dies, and stops them together. Knows nothing of the product."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

STOP_SECONDS = 10  # between asking a program to stop and killing it
_PAUSES = (1, 2, 4, 8, 16, 30)  # seconds before a program that died starts again
_STEADY_SECONDS = 60  # who ran this long begins with the shortest pause again
_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Program:
    """One child. It leads a process group of its own, so that nothing it started outlives it."""

    name: str
    argv: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    starts_again_at: float | None = None


class Stopping:
    """Whether we were asked to stop. Not a threading.Event: its lock would wait for itself when a signal interrupts the handler of another."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Sleeps (a signal does not cut that short), then tells."""
        if not self._is_set:
            time.sleep(seconds)
        return self._is_set


class Supervisor:
    """Call `start`, then `run` until it is to stop, then `stop`. `tell` gets a line for a person whenever a program had to be started again."""

    def __init__(self, programs: Sequence[Program], *, env: Mapping[str, str], log_dir: Path, tell: Callable[[str], None]) -> None:
        self.programs = programs
        self._env, self._log_dir, self._tell = env, log_dir, tell

    def start(self) -> None:
        for program in self.programs:
            self._start(program)

    def run(self, stopping: Stopping, *, until: Callable[[], bool] | None = None) -> None:
        """Watches until `stopping` is set, or `until` (asked a few times a second) holds."""
        while not stopping.wait(0.2) and not (until and until()):
            self.watch(time.monotonic())

    def watch(self, now: float) -> None:
        """Starts again what died, each after its pause."""
        for program in self.programs:
            if program.starts_again_at is not None:
                if now >= program.starts_again_at:
                    self._start(program)
            elif program.process and program.process.poll() is not None:
                self._plan_restart(program, now)

    def stop(self) -> None:
        """All at once: TERM, and KILL for what is left after STOP_SECONDS."""
        running = [program.process for program in self.programs if program.process]
        for process in running:
            _signal(process.send_signal, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            _kill_group(process)
            process.wait()

    def _start(self, program: Program) -> None:
        program.starts_again_at, program.started_at = None, time.monotonic()
        self._log_dir.mkdir(parents=True, exist_ok=True)  # somebody may have tidied up since the last start
        with (self._log_dir / f"{program.name}.log").open("ab") as log:
            program.process = subprocess.Popen(  # noqa: S603 the argv is the caller's own
                program.argv,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a terminal's Ctrl-C reaches us alone; we pass it on in order
                preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509 no thread of ours runs yet
            )

    def _plan_restart(self, program: Program, now: float) -> None:
        process = program.process
        if process is None:
            return
        _kill_group(process)  # whatever it had started
        program.deaths = 0 if now - program.started_at >= _STEADY_SECONDS else program.deaths
        pause = _PAUSES[min(program.deaths, len(_PAUSES) - 1)]
        program.deaths += 1
        program.starts_again_at = now + pause
        log = self._log_dir / f"{program.name}.log"
        self._tell(f"{program.name} stopped ({_fate(process.returncode)}); it starts again in {pause} s. Its last words are in {log}")


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[Stopping]:
    """What Ctrl-C or SIGTERM sets, instead of ending this process half-way."""
    stopping = Stopping()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in signals}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class AlreadyHeld(Exception):
    """Another process holds the lock; its number is the text."""


@contextlib.contextmanager
def held(lock: Path) -> Iterator[None]:
    """Holds `lock`, which the kernel takes back however we end. The file stays: were it deleted, two could each hold one of that name."""
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise AlreadyHeld(file.read().strip() or "unknown") from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """On Linux the kernel sends SIGTERM to the child when we die, even by `kill -9`; elsewhere there is no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up here: little is safe between fork and exec

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return in_child


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    _signal(lambda number: os.killpg(process.pid, number), signal.SIGKILL)


def _signal(send: Callable[[int], None], number: int) -> None:
    """Sends; a process that is gone already is what we want."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        send(number)


def _fate(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    return f"exit {returncode}"
