"""One thread that owns OpenVINO's pipeline and steps it while there is work.

Requests come in as jobs, each with a future.  Cancelling the future cancels the request at
the next step; an error of the pipeline fails every job, waiting or computing, for good.

A constraint that cannot be compiled is found out inside a step, and leaves the pipeline
unusable.  So constraints are on probation until they have produced a token, one at a time;
when a step fails, the one on probation is to blame: it fails alone, the pipeline is built
anew, and the other jobs start again.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from asyncgen.endpoints.embedded.admission import next_admissible
from asyncgen.endpoints.embedded.generation import RuntimeFailedError, UnservableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Job", "Stepper", "last_line"]

_REMEMBERED = 8


@dataclass(eq=False, slots=True)
class Job:
    """One request to the pipeline.

    Attributes:
        prompt: Token ids.
        config: The pipeline's own generation settings.
        constraint: What the output is held to, None if it is free.
        future: Gets the pipeline's output value.
        handle: The pipeline's handle once the job is computing.
        started: Whether the first token is there: the prompt has been computed.
    """

    prompt: tuple[int, ...]
    config: Any
    constraint: object = None
    future: Future[Any] = field(default_factory=Future)
    handle: Any = None
    started: bool = False


class Stepper:
    """Feeds jobs to a pipeline, at most `slots` at a time."""

    def __init__(self, build: Callable[[], Any], slots: int, *, share_prefixes: bool) -> None:
        self._build = build
        self._pipeline: Any = build()
        self._slots = slots
        self._share_prefixes = share_prefixes
        # Shared with other threads, guarded by the condition: _waiting, _failure, _closed.
        self._condition = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._failure: str | None = None
        self._closed = False
        # Touched by the stepping thread only.
        self._computing: list[Job] = []
        self._proven: set[object] = {None}
        # Prompts of late, which the prefix cache has unless memory is very short.
        self._cached: deque[tuple[int, ...]] = deque(maxlen=_REMEMBERED)
        self._next_id = 0
        self._thread = threading.Thread(target=self._run, name="stepper", daemon=True)
        self._thread.start()

    @property
    def pipeline(self) -> Any:
        """The pipeline, for its tokenizer."""
        return self._pipeline

    def submit(self, job: Job) -> None:
        """Queue a job; its future gets the output or the error."""
        with self._condition:
            if self._failure is not None:
                raise RuntimeFailedError(self._failure)
            self._waiting.append(job)
            self._condition.notify()

    def close(self) -> None:
        """Stop after the running step and fail what is left."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        problem = "the model runtime failed; its log says why"
        try:
            while self._wait_for_work():
                self._admit()
                self._step()
                self._collect()
            problem = "the model runtime was closed"
        except RuntimeError as error:  # the pipeline's own exception class
            problem = f"the model runtime failed: {last_line(error)}"
        finally:
            # Also after a defect of ours: nobody may wait for ever.
            self._fail_all(problem)

    def _wait_for_work(self) -> bool:
        with self._condition:
            while not (self._closed or self._waiting or self._computing):
                self._condition.wait()
            return not self._closed

    def _step(self) -> None:
        try:
            if self._pipeline.has_non_finished_requests():
                self._pipeline.step()
        except RuntimeError as error:
            suspects = [job for job in self._computing if job.constraint not in self._proven]
            if len(suspects) != 1:
                raise
            _fail(suspects[0], UnservableError(last_line(error)))
            self._start_again([job for job in self._computing if job is not suspects[0]])

    def _start_again(self, jobs: list[Job]) -> None:
        self._computing = []
        # The old pipeline's memory goes before the new one's comes.
        self._pipeline = None
        self._pipeline = self._build()
        self._cached.clear()
        for job in jobs:
            job.started = False
        with self._condition:
            self._waiting.extendleft(reversed(jobs))

    def _admit(self) -> None:
        while len(self._computing) < self._slots and (job := self._take()) is not None:
            self._next_id += 1
            try:
                job.handle = self._pipeline.add_request(
                    self._next_id, _tensor(job.prompt), job.config
                )
            except RuntimeError as error:  # this request's parameters are at fault
                _fail(job, UnservableError(last_line(error)))
                continue
            self._computing.append(job)

    def _take(self) -> Job | None:
        """Remove and return the next job that may start now."""
        with self._condition:
            while self._waiting and self._waiting[0].future.cancelled():
                self._waiting.popleft()
            if not self._waiting:
                return None
            job = self._next_admissible()
            if job is not None:
                self._waiting.remove(job)
            return job

    def _next_admissible(self) -> Job | None:
        proven = self._proven
        waiting: Sequence[Job] = self._waiting
        if any(job.constraint not in proven for job in self._computing):
            waiting = [job for job in waiting if job.constraint in proven]
        if not self._share_prefixes:
            return waiting[0] if waiting else None
        index = next_admissible(
            (job.prompt for job in waiting),
            [job.prompt for job in self._computing if not job.started],
            self._cached,
        )
        return None if index is None else waiting[index]

    def _collect(self) -> None:
        still_computing: list[Job] = []
        for job in self._computing:
            status = job.handle.get_status().name
            if not job.started and (status == "FINISHED" or job.handle.can_read()):
                job.started = True
                self._proven.add(job.constraint)
                self._cached.append(job.prompt)
            if job.future.cancelled():
                job.handle.cancel()
            elif status == "RUNNING":
                still_computing.append(job)
            elif status == "FINISHED":
                _finish(job)
            else:
                _fail(job, UnservableError(f"the request does not fit into memory ({status})"))
        self._computing = still_computing

    def _fail_all(self, problem: str) -> None:
        with self._condition:
            self._failure = problem
            jobs = [*self._computing, *self._waiting]
            self._waiting.clear()
        for job in jobs:
            _fail(job, RuntimeFailedError(problem))


def last_line(error: RuntimeError) -> str:
    """Return the one line of OpenVINO's many-line errors that says what is wrong."""
    line = str(error).strip().splitlines()[-1]
    # Without the time and the source line of whoever built it.
    return re.sub(r"^.*\.(cc|cpp|hpp|h):\d+: ", "", line)


def _finish(job: Job) -> None:
    (output,) = job.handle.read_all()
    if job.future.set_running_or_notify_cancel():
        job.future.set_result(output)


def _fail(job: Job, error: UnservableError | RuntimeFailedError) -> None:
    if job.future.set_running_or_notify_cancel():
        job.future.set_exception(error)


def _tensor(prompt: tuple[int, ...]) -> Any:
    # By name: the package has no types, and whether it is there is decided at run time.
    openvino: Any = importlib.import_module("openvino")
    return openvino.Tensor(np.array([prompt], dtype=np.int64))
