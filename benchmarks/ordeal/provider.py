"""Simulated providers in process groups of their own, and their logs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asyncgen.endpoints.simulated.request_log import read_request_log

if TYPE_CHECKING:
    import random
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from asyncgen.endpoints.simulated.request_log import LoggedRequest

__all__ = ["FAULTS", "Manner", "Provider", "providing", "restless"]

FAULTS = (
    "429=0.01,429-bare=0.005,slow_down=0.005,500=0.01,502=0.01,503=0.01,504=0.005,529=0.005,"
    "hang=0.003,reset=0.01,cut-body=0.01,not-json=0.01,error-200=0.005,empty=0.01,slow=0.005,"
    "stall=0.003"
)
"""Every fault but a used-up quota, which ends a session: about one attempt in eight."""


@dataclass(frozen=True)
class Manner:
    """How providers behave.

    Attributes:
        latency: Seconds that an answer takes, in the median.
        width: Standard deviation of the logarithm of that.
        faults: As ``asyncgen serve simulated --faults`` takes them.
    """

    latency: float = 0.3
    width: float = 0.6
    faults: str = ""

    def flags(self) -> list[str]:
        """Return the flags that say so."""
        return [
            *("--latency", str(self.latency), "--spread", "lognormal", "--width", str(self.width)),
            *("--faults", self.faults, "--pause", "0.3", "--slow", "2"),
        ]


@dataclass
class Provider:
    """One provider: it can be killed and started anew at the same address, with the same log."""

    manner: Manner
    log: Path
    port: int = 0
    kills: int = 0
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Serve; returns when it listens."""
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "asyncgen", "serve", "simulated"),
                *("--port", str(self.port), "--log", str(self.log), *self.manner.flags()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        line = self.process.stdout.readline() if self.process.stdout else ""
        self.port = int(line.split("127.0.0.1:")[1].split("/")[0])

    def kill(self) -> None:
        """End it as the kernel does when memory is short."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
            self.process = None

    def ended(self) -> int:
        """Return how many requests have ended here so far."""
        return self.log.read_bytes().count(b"\n")

    def requests(self) -> list[LoggedRequest]:
        """Return what it has logged."""
        return read_request_log(self.log)


@contextmanager
def providing(folder: Path, count: int, manner: Manner) -> Generator[list[Provider]]:
    """Run so many providers for as long as the block runs; their logs stand in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        providers: list[Provider] = []
        for number in range(count):
            one = Provider(manner, folder / f"requests-{number}.log")
            stack.callback(one.kill)
            one.start()
            providers.append(one)
        yield providers


@contextmanager
def restless(
    providers: Sequence[Provider], rng: random.Random, pause: tuple[float, float] = (1.0, 8.0)
) -> Generator[None]:
    """Meanwhile kill one of them now and then and start it anew, never the first.

    Args:
        providers: Of which the first stays: with none left a run would rightly give up.
        rng: Draws who, and when.
        pause: Seconds between two deaths, at the least and at the most.
    """
    over = threading.Event()
    mortal = providers[1:]

    def unrest() -> None:
        while not over.wait(rng.uniform(*pause)):
            victim = rng.choice(mortal)
            victim.kill()
            over.wait(rng.uniform(0.1, 3.0))
            victim.start()
            victim.kills += 1

    if not mortal:
        yield
        return
    thread = threading.Thread(target=unrest)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
