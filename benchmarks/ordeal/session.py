"""One session of ``asyncgen generate`` in a process group of its own: started, killed, searched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Ended", "Session", "Task"]

_MARK = "ASYNCGEN_TORTURE"
_DYING = 10.0  # seconds in which whatever a killed session started must have gone
_LOOK = 0.0005  # seconds between two looks at a process or a folder


@dataclass(frozen=True)
class Task:
    """What every session of a run is told.

    Attributes:
        run: The run folder.
        target: Tasks wanted.
        flags: What else, such as timeouts.
    """

    run: Path
    target: int
    flags: tuple[str, ...] = ()

    @property
    def journal(self) -> Path:
        """The run's journal."""
        return self.run / "journal.db"

    @property
    def outputs(self) -> tuple[Path, Path]:
        """What a finished run leaves: the dataset and what was rejected."""
        return self.run / "dataset.jsonl", self.run / "rejected.jsonl"


@dataclass(frozen=True)
class Ended:
    """How a session ended of itself, and what it said on standard error."""

    code: int
    said: str


@dataclass
class Session:
    """A session that has been started.

    Attributes:
        in_flight: Its ceiling of requests in the air.
        started: Unix time.
        killed: Unix time; ``None`` if it was not.
    """

    task: Task
    in_flight: int
    process: subprocess.Popen[bytes] = field(repr=False)
    mark: str
    errors: IO[bytes] = field(repr=False)
    started: float
    killed: float | None = None

    @classmethod
    def start(
        cls,
        task: Task,
        endpoints: Sequence[str],
        in_flight: int,
        *,
        before: Callable[[], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Session:
        """Start the command.

        Args:
            task: The run.
            endpoints: What ``--endpoint`` is given.
            in_flight: And ``--max-in-flight``.
            before: Called in the child before it becomes the command.
            environment: Added to ours.
        """
        mark = uuid.uuid4().hex
        # No file in a folder: the disk that a run is on may be full.
        errors = TemporaryFile()  # noqa: SIM115 - read when the process has ended
        named = [part for one in endpoints for part in ("--endpoint", one)]
        model = [] if list(endpoints) == ["simulated"] else ["--model", "simulated"]
        started = time.time()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "asyncgen", "generate", str(task.run), *named, *model),
                *("--target", str(task.target), "--max-in-flight", str(in_flight), "--json"),
                *task.flags,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, _MARK: mark, **(environment or {})},
            start_new_session=True,
            preexec_fn=before,  # noqa: PLW1509 - it takes no lock that a thread of ours may hold
        )
        return cls(task, in_flight, process, mark, errors, started)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def wait(self) -> Ended:
        """Return how it ended, when it has; once."""
        code = self.process.wait()
        with self.errors as stream:
            stream.seek(0)
            return Ended(code, stream.read().decode("utf-8", "replace"))

    def lasts(self, seconds: float) -> bool:
        """Return whether it is still there after so many seconds, or as soon as it is not."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def wait_until_at_work(self) -> bool:
        """Return when its endpoints are about to be opened; false if it has ended before."""
        socket = self.task.run / "control.sock"
        return self.wait_for(lambda: _made_after(socket, self.started))

    def wait_for(self, condition: Callable[[], bool]) -> bool:
        """Return when a condition holds; false if the process has ended before."""
        while not condition():
            if self.process.poll() is not None:
                return False
            time.sleep(_LOOK)
        return True

    def is_writing(self, output: Path) -> bool:
        """Whether one of the outputs is being written at present."""
        return output.with_name(f".{output.name}.{self.pid}.partial").exists()

    def kill(self) -> None:
        """SIGKILL the whole group."""
        os.killpg(self.pid, signal.SIGKILL)
        self.killed = time.time()
        self.process.wait()
        self.errors.close()

    def strays(self) -> list[str]:
        """Return what it started and what is still there when all should be gone; ends it."""
        deadline = time.monotonic() + _DYING
        while (found := self._marked()) and time.monotonic() < deadline:
            time.sleep(0.01)
        for one in found:
            one.kill()
        return [" ".join(one.info["cmdline"] or ()) for one in found]

    def _marked(self) -> list[psutil.Process]:
        attributes = ["environ", "status", "cmdline"]
        return [
            one
            for one in psutil.process_iter(attributes)
            if (one.info["environ"] or {}).get(_MARK) == self.mark
            and one.info["status"] != psutil.STATUS_ZOMBIE
        ]


def _made_after(path: Path, moment: float) -> bool:
    try:
        return path.stat().st_ctime >= moment
    except OSError:
        return False
