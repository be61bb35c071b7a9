"""Finetuning by a service, from a run to the name of a model."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from asyncgen.dataset.jsonl import json_line
from asyncgen.errors import (
    EndpointRefusedError,
    QuotaError,
    RunFolderError,
    RunPausedError,
    TrainingError,
    TransientError,
)
from asyncgen.finetune.folder import JobFolder
from asyncgen.finetune.hosting import Event, Hosted, Hosting, Ledger, check_hosting
from asyncgen.finetune.service import FinetuningService
from asyncgen.finetune.training_file import training_file
from asyncgen.journal import RunLock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from asyncgen.finetune.training_file import TrainingFile

__all__ = ["tune_hosted"]

_TRAINING, _LEDGER, _EVENTS, _RESULT = "data.jsonl", "job.json", "events.jsonl", "tuned.json"
_MAY_CHANGE = frozenset({"data", "out", "api_key_env", "poll"})
_LOOKS = 4
"""How often a job is looked for that may have been created: a list may lag behind."""
_CREATIONS = 4
_LATER = frozenset({"metadata", "method", "seed"})
"""What the interface did not have from the beginning."""
_FILE_GOES_ON = frozenset({"uploaded", "pending", "running", "processing"})


def tune_hosted(
    hosting: Hosting, say: Callable[[str], None] = lambda _: None, *, cancel: bool = False
) -> Hosted:
    """Have a service finetune a model, or follow the job that a session before began.

    There is one file and one job to a folder, wherever a session was killed: what may have
    been created is looked for, by a mark that it carries, before it is created again.

    Args:
        hosting: What is wanted.
        say: Told of what goes on.
        cancel: End the job instead.

    Raises:
        InputError: If settings, data, folder or key cannot be used, or the service refuses.
        RunPausedError: If the service does not answer any more; the job goes on there.
        TrainingError: If the job failed or was cancelled.
    """
    check_hosting(hosting)
    folder = JobFolder(Path(hosting.out).absolute(), Hosting, "hosting.toml")
    folder.make()
    with RunLock(folder.path):
        folder.sweep()
        training = training_file(hosting)
        digest = hashlib.sha256(training.content).hexdigest()
        settled = msgspec.structs.replace(hosting, data_sha256=digest)
        folder.freeze(settled, _MAY_CHANGE)
        folder.write(_TRAINING, training.content)
        done = folder.path / _RESULT
        if done.is_file():
            hosted = msgspec.json.decode(done.read_bytes(), type=Hosted)
        else:
            hosted = asyncio.run(_Following(settled, training, folder, say).work(cancel=cancel))
        return msgspec.structs.replace(hosted, events=str(folder.path / _EVENTS))


class _Following:
    """One session of following a job; what must not be lost is in the ledger before it is done."""

    def __init__(
        self,
        hosting: Hosting,
        training: TrainingFile,
        folder: JobFolder[Hosting],
        say: Callable[[str], None],
    ) -> None:
        self._hosting = hosting
        self._training = training
        self._folder = folder
        self._say = say
        self._ledger = self._read_ledger()
        self._service = FinetuningService(hosting)

    async def work(self, *, cancel: bool) -> Hosted:
        """Do what is left to do."""
        async with self._service:
            try:
                file = await self._file()
                job = await self._job(file)
                if cancel:
                    await self._service.cancel(job)
                return await self._followed(job)
            except (TransientError, QuotaError) as error:
                raise RunPausedError(str(error)) from error

    async def _file(self) -> str:
        """Return the id of the uploaded file, uploading it if it is not there."""
        if self._ledger.file is not None:
            return self._ledger.file
        name = f"asyncgen-{self._ledger.mark}.jsonl"

        async def upload() -> str:
            self._say(f"uploading {self._training.examples:,} examples")
            return await self._service.upload(name, self._training.content)

        file = await self._made(lambda: self._service.find_file(name), upload, is_new=False)
        told = await self._service.file(file)
        while told.get("status") in _FILE_GOES_ON:
            await asyncio.sleep(self._hosting.poll)
            told = await self._service.file(file)
        if told.get("status") == "error":
            raise TrainingError(
                f"{self._hosting.base_url}: file {file} is not accepted: "
                f"{told.get('status_details') or 'no reason given'}"
            )
        self._note(file=file)
        return file

    async def _job(self, file: str) -> str:
        """Return the id of the job, creating it if it is certain that there is none."""
        if self._ledger.job is not None:
            return self._ledger.job
        is_new = not self._ledger.asked
        self._note(asked=True)
        job = await self._made(
            lambda: self._looked_for(file), lambda: self._create(file), is_new=is_new
        )
        self._note(job=job)
        self._say(f"job {job} is there")
        return job

    async def _made(
        self,
        find: Callable[[], Awaitable[str | None]],
        make: Callable[[], Awaitable[str]],
        *,
        is_new: bool,
    ) -> str:
        """Make something at the service, having looked whether an earlier attempt has made it."""
        for left in reversed(range(_CREATIONS)):
            found = None if is_new else await find()
            if found is not None:
                return found
            is_new = False
            try:
                return await make()
            except TransientError as error:
                if not left:
                    raise
                await asyncio.sleep(max(error.retry_after or 0.0, self._hosting.poll))
        raise AssertionError("unreachable")

    async def _create(self, file: str) -> str:
        """Create the job, without what the service does not know of the order."""
        order = self._order(file)
        while True:
            try:
                return await self._service.create_job(order)
            except EndpointRefusedError as error:
                simpler = _simpler(order, str(error))
                if simpler == order:
                    raise
                order = simpler

    async def _looked_for(self, file: str) -> str | None:
        for look in range(_LOOKS):
            if look:
                await asyncio.sleep(self._hosting.poll)
            job = await self._service.find_job(self._ledger.mark, file)
            if job is not None:
                return job
        return None

    def _order(self, file: str) -> dict[str, Any]:
        hosting = self._hosting
        hyperparameters = {"n_epochs": hosting.epochs} if hosting.epochs else {}
        method = {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}
        order: dict[str, Any] = {
            "model": hosting.model,
            "training_file": file,
            "method": method,
            "seed": hosting.seed,
            "metadata": {"asyncgen": self._ledger.mark},
        }
        return {**order, "suffix": hosting.suffix} if hosting.suffix else order

    async def _followed(self, job: str) -> Hosted:
        """Wait for the end of a job, taking in its events."""
        status = ""
        while True:
            told = await self._service.job(job)
            await self._take_events(job)
            if told.get("status") != status:
                status = str(told.get("status"))
                self._say(f"job {job}: {status}")
            match status:
                case "succeeded":
                    return self._succeeded(job, told)
                case "failed" | "cancelled":
                    raise TrainingError(_ending(job, status, told))
                case _:
                    await asyncio.sleep(self._hosting.poll)

    async def _take_events(self, job: str) -> None:
        path = self._folder.path / _EVENTS
        for event in await self._service.events_after(job, _last_event(path)):
            try:
                with path.open("ab") as stream:
                    stream.write(json_line(event))
            except OSError as error:
                raise RunFolderError(path, f"cannot be written ({error.strerror})") from error
            self._say(event.message)

    def _succeeded(self, job: str, told: Mapping[str, Any]) -> Hosted:
        model, tokens = told.get("fine_tuned_model"), told.get("trained_tokens")
        if not isinstance(model, str):
            raise TrainingError(f"job {job} succeeded, but the service names no model")
        hosted = Hosted(
            model=model,
            job=job,
            examples=self._training.examples,
            dropped=self._training.dropped,
            trained_tokens=tokens if isinstance(tokens, int) else None,
            events=_EVENTS,
        )
        self._folder.write_json(_RESULT, hosted)
        return hosted

    def _read_ledger(self) -> Ledger:
        path = self._folder.path / _LEDGER
        if not path.is_file():
            self._ledger = Ledger(mark=secrets.token_hex(8))
            self._note()
            return self._ledger
        try:
            return msgspec.json.decode(path.read_bytes(), type=Ledger)
        except msgspec.DecodeError as error:
            raise RunFolderError(path, f"was damaged ({error}); it held the job's id") from error

    def _note(self, **changes: Any) -> None:
        self._ledger = msgspec.structs.replace(self._ledger, **changes)
        self._folder.write_json(_LEDGER, self._ledger)


def _last_event(path: Path) -> str | None:
    """Return the id of the last event that was taken in, and cut off a line that a kill broke."""
    if not path.is_file():
        return None
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)
    lines = whole.splitlines()
    return msgspec.json.decode(lines[-1], type=Event).id if lines else None


def _simpler(order: dict[str, Any], said: str) -> dict[str, Any]:
    """Return an order without what a refusal names; compatible services know less."""
    rest = {name: value for name, value in order.items() if name not in _LATER or name not in said}
    if "method" in order and "method" not in rest:
        # What OpenAI had before, and others still have.
        rest["hyperparameters"] = order["method"]["supervised"]["hyperparameters"]
    return rest


def _ending(job: str, status: str, told: Mapping[str, Any]) -> str:
    error = told.get("error")
    reason = error.get("message") if isinstance(error, dict) else None
    return f"job {job} {status if status == 'failed' else 'was cancelled'}" + (
        f": {reason}" if reason else ""
    )
