"""A service that finetunes, over OpenAI's interface: files, and jobs under ``fine_tuning``.

Source: OpenAI's reference of the API, as of November 2026. A request that changes nothing is
made again when it fails in passing; one that creates something is not: its caller looks first
whether the last one did.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import orjson

from asyncgen.endpoints.bodies import error_message, parsed_or_none, table
from asyncgen.endpoints.failures import failure_of
from asyncgen.endpoints.http_options import HttpOptions
from asyncgen.endpoints.keys import key_in, usable_key, without_key
from asyncgen.endpoints.refusals import Refusal, explained
from asyncgen.endpoints.transport import Timeouts, attempt, open_session
from asyncgen.errors import BadAnswerError, EndpointRefusedError, TransientError
from asyncgen.finetune.hosting import Event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType
    from typing import Self

    from asyncgen.finetune.hosting import Hosting

__all__ = ["FinetuningService"]

_ATTEMPTS = 8
_LONGEST_PAUSE = 60.0
"""Seconds."""
_TIMEOUTS = Timeouts(total=120.0)
_UPLOAD = Timeouts(total=1800.0, stall=None)
_PAGE = "100"
_JOBS = "/fine_tuning/jobs"


class FinetuningService:
    """One service with one key; the session is opened with the context manager.

    Args:
        hosting: Where it is, and how often to look.
    """

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting
        self._url = hosting.base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        key = usable_key(self._hosting.api_key_env)
        headers = {"Accept": "application/json"}
        headers |= {"Authorization": f"Bearer {key}"} if key else {}
        self._session = open_session(self._url, headers, _TIMEOUTS)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def find_file(self, name: str) -> str | None:
        """Return the id of the training file of this name, ``None`` if there is none."""
        async for file in self._listed("/files", {"purpose": "fine-tune"}):
            if file.get("filename") == name:
                return str(file["id"])
        return None

    async def upload(self, name: str, content: bytes) -> str:
        """Upload a training file and return its id; one attempt.

        Raises:
            AsyncgenError: If it failed; where it is a ``TransientError`` it may be there.
        """
        form = aiohttp.FormData()
        form.add_field("purpose", "fine-tune")
        form.add_field("file", content, filename=name, content_type="application/jsonl")
        return _id_of(await self._once("POST", "/files", data=form))

    async def file(self, file: str) -> Mapping[str, Any]:
        """Return what the service says of a file."""
        return await self._often("GET", f"/files/{file}")

    async def find_job(self, mark: str, file: str) -> str | None:
        """Return the id of the job that carries this mark or learns from this file, if any."""
        # A service that knows no metadata may pass over the filter: each is looked at.
        async for job in self._listed(_JOBS, {"metadata[asyncgen]": mark}):
            if table(job.get("metadata")).get("asyncgen") == mark:
                return str(job["id"])
        async for job in self._listed(_JOBS, {}):
            if job.get("training_file") == file:
                return str(job["id"])
        return None

    async def create_job(self, body: Mapping[str, Any]) -> str:
        """Create a job and return its id; one attempt.

        Raises:
            AsyncgenError: If it failed; where it is a ``TransientError`` it may be there.
        """
        return _id_of(await self._once("POST", _JOBS, json=body))

    async def job(self, job: str) -> Mapping[str, Any]:
        """Return what the service says of a job."""
        return await self._often("GET", f"{_JOBS}/{job}")

    async def cancel(self, job: str) -> None:
        """End a job."""
        await self._often("POST", f"{_JOBS}/{job}/cancel")

    async def events_after(self, job: str, last: str | None) -> list[Event]:
        """Return the events of a job that came after one, the oldest first; all if ``None``."""
        found: list[Event] = []
        async for event in self._listed(f"{_JOBS}/{job}/events", {}):
            if event.get("id") == last:
                break
            found.append(_event(event))
        return found[::-1]

    async def _listed(
        self, path: str, query: Mapping[str, str]
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the entries of a list, the newest first, page by page."""
        after: dict[str, str] = {}
        while True:
            page = await self._often("GET", path, params={**query, "limit": _PAGE, **after})
            entries = page.get("data")
            if not isinstance(entries, list):
                raise BadAnswerError(f"{self._url}{path}: no list")
            for entry in entries:
                yield table(entry)
            if not entries or not page.get("has_more"):
                return
            after = {"after": str(table(entries[-1]).get("id"))}

    async def _often(self, method: str, path: str, **request: Any) -> Mapping[str, Any]:
        """Make a request that may be made again, until it is answered.

        Raises:
            AsyncgenError: If it is refused, or failed to the last.
        """
        pause = self._hosting.poll
        for left in reversed(range(_ATTEMPTS)):
            try:
                return await self._once(method, path, **request)
            except TransientError as error:
                if not left:
                    raise
                await asyncio.sleep(max(error.retry_after or 0.0, min(pause, _LONGEST_PAUSE)))
                pause *= 2
        raise AssertionError("unreachable")

    async def _once(self, method: str, path: str, **request: Any) -> Mapping[str, Any]:
        if self._session is None:
            raise RuntimeError("the service is used outside its context manager")
        timeouts = _UPLOAD if "data" in request else _TIMEOUTS
        if "json" in request:
            content = orjson.dumps(request.pop("json"))
            request |= {"data": content, "headers": {"Content-Type": "application/json"}}
        with attempt(self._url, timeouts) as under_way:
            async with self._session.request(method, f"{self._url}{path}", **request) as response:
                content = await under_way.read(response)
        if response.status != 200:
            raise self._failure(response.status, response.headers, content, path)
        body = parsed_or_none(content)
        if not isinstance(body, dict):
            raise BadAnswerError(f"{self._url}{path}: HTTP 200, but the answer is not JSON")
        return body

    def _failure(
        self, status: int, headers: Mapping[str, str], content: bytes, path: str
    ) -> Exception:
        content = without_key(content, self._hosting.api_key_env)
        error = failure_of(status, headers, content, where=self._url)
        if error is not None:
            return error
        said = error_message(content)
        if status not in {401, 403}:
            return EndpointRefusedError(f"{self._url}{path}: HTTP {status}: {said}")
        env = self._hosting.api_key_env
        options = HttpOptions(base_url=self._url, model=self._hosting.model, api_key_env=env)
        return explained(
            Refusal(status, said, path), options, has_key=bool(key_in(env)), served=None
        )


def _id_of(body: Mapping[str, Any]) -> str:
    found = body.get("id")
    if not isinstance(found, str) or not found:
        raise BadAnswerError("HTTP 200, but no id in the answer")
    return found


def _event(told: Mapping[str, Any]) -> Event:
    try:
        return msgspec.convert(told, Event)
    except msgspec.ValidationError as error:
        raise BadAnswerError(f"an event in an unknown form: {error}") from error
