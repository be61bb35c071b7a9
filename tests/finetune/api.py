"""OpenAI's interface for finetuning on loopback, in a thread: files, jobs, events, checkpoints.

It answers as the reference says, refuses what OpenAI refuses, and can fail in between.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

__all__ = ["ENDED", "KEY", "MODEL", "Api", "Fault"]

KEY, MODEL = "sk-test-key", "gpt-4o-mini-2024-07-18"
PATH = "/v1/fine_tuning/jobs"
ENDED = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a request.

    Attributes:
        status: What is answered; 0 closes the connection instead.
        after: Whether the request is done all the same, and only its answer is lost.
    """

    status: int
    after: bool = False
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def _none(_method: str, _path: str, _number: int) -> Fault | None:
    return None


class Api:
    """A service.

    Args:
        fault: Called with method, path and the number of the request, from 0; what goes wrong.
        looks: How often a job is looked at before it is done.
        ends: How jobs end.
        forgets: How many lists of jobs leave the newest out, as slow ones do.
        knows: What an order may hold besides model and training file.
        waits: Whether jobs go on only when :meth:`let_go` was called.

    Attributes:
        requests: Method and path of each that came.
        files: By id, with their content.
        jobs: By id.
        orders: What was asked for, one for each job.
    """

    def __init__(
        self,
        fault: Callable[[str, str, int], Fault | None] = _none,
        *,
        looks: int = 6,
        ends: str = "succeeded",
        forgets: int = 0,
        knows: frozenset[str] = frozenset({"method", "seed", "suffix", "metadata"}),
        waits: bool = False,
    ) -> None:
        self.requests: list[tuple[str, str]] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.orders: list[dict[str, Any]] = []
        self.port = 0
        self._fault = fault
        self._looks = looks
        self._ends = ends
        self._forgets = forgets
        self._knows = knows
        self._may_go_on = not waits
        self._events: dict[str, list[dict[str, Any]]] = {}
        self._seen: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def let_go(self) -> None:
        """Let jobs go on."""
        self._may_go_on = True

    async def _serve(self) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        app = web.Application(middlewares=[self._guarded], client_max_size=1 << 30)
        app.router.add_get("/v1/files", self._list_files)
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{id}", self._file)
        app.router.add_get(PATH, self._list_jobs)
        app.router.add_post(PATH, self._create)
        app.router.add_get(f"{PATH}/{{id}}", self._job)
        app.router.add_post(f"{PATH}/{{id}}/cancel", self._cancel)
        app.router.add_get(f"{PATH}/{{id}}/events", self._list_events)
        app.router.add_get(f"{PATH}/{{id}}/checkpoints", self._list_checkpoints)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        number = len(self.requests)
        self.requests.append((request.method, request.path))
        fault = self._fault(request.method, request.path, number)
        if fault is not None and not fault.after:
            return _faulty(request, fault)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            sent = request.headers.get("Authorization", "")
            return _error(401, f"Incorrect API key provided: {sent[7:]}.", "invalid_api_key")
        response: web.StreamResponse = await handler(request)
        return response if fault is None else _faulty(request, fault)

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        upload = form["file"]
        assert isinstance(upload, web.FileField)
        if form["purpose"] != "fine-tune":
            return _error(400, "'purpose' must be 'fine-tune'", "invalid_value")
        content = upload.file.read()
        file = {
            "id": f"file-{next(self._numbers)}",
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": upload.filename,
            "purpose": "fine-tune",
            "status": "uploaded",
        }
        self.files[str(file["id"])] = {**file, "content": content}
        return _json(file)

    async def _file(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["id"])
        if file is None:
            return _error(404, "No such File object", "")
        shown = {name: value for name, value in file.items() if name != "content"}
        file["status"] = "processed"
        return _json(shown)

    async def _list_files(self, request: web.Request) -> web.Response:
        files = [{**one, "content": None} for one in self.files.values()]
        return _page(request, files[::-1])

    async def _create(self, request: web.Request) -> web.Response:
        order: dict[str, Any] = orjson.loads(await request.read())
        refusal = self._refusal(order)
        if refusal is not None:
            return refusal
        job = {
            "id": f"ftjob-{next(self._numbers)}",
            "object": "fine_tuning.job",
            "model": order["model"],
            "created_at": int(time.time()),
            "finished_at": None,
            "fine_tuned_model": None,
            "organization_id": "org-test",
            "result_files": [],
            "status": "validating_files",
            "training_file": order["training_file"],
            "validation_file": None,
            "trained_tokens": None,
            "error": None,
            "seed": order.get("seed", 0),
            "hyperparameters": {"n_epochs": "auto"},
            "method": order.get("method"),
            "metadata": order.get("metadata"),
        }
        self.orders.append(order)
        self.jobs[str(job["id"])] = job
        self._events[str(job["id"])] = []
        self._tell(job, "Created fine-tuning job")
        return _json(job)

    def _refusal(self, order: dict[str, Any]) -> web.Response | None:
        if order["model"].removeprefix("ft:").partition(":")[0] != MODEL:
            return _error(404, f"The model '{order['model']}' does not exist", "model_not_found")
        if order["training_file"] not in self.files:
            return _error(400, "invalid training_file", "invalid_file")
        unknown = set(order) - self._knows - {"model", "training_file", "hyperparameters"}
        if unknown:
            return _error(400, f"Unrecognized request argument supplied: {min(unknown)}", "")
        return None

    async def _job(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return _error(404, "Could not find fine tune", "fine_tune_not_found")
        self._advance(job)
        return _json(job)

    def _advance(self, job: dict[str, Any]) -> None:
        if job["status"] in ENDED:
            return
        seen = self._seen[job["id"]] = self._seen.get(job["id"], 0) + 1
        if seen == 2:
            job["status"] = "queued"
        if seen == 3:
            job["status"] = "running"
            self._tell(job, "Fine-tuning job started")
        if seen > 3 and self._may_go_on:
            data = {"step": seen - 3, "train_loss": 2.0 / seen}
            self._tell(job, f"Step {seen - 3}: training loss={2.0 / seen:.2f}", data)
        if seen >= self._looks and self._may_go_on:
            self._end(job)

    def _end(self, job: dict[str, Any]) -> None:
        job["status"] = self._ends
        job["finished_at"] = int(time.time())
        if self._ends == "failed":
            job["error"] = {
                "code": "invalid_training_file",
                "message": "The job failed due to an invalid training file.",
                "param": "training_file",
            }
        else:
            job["fine_tuned_model"] = f"ft:{job['model']}:org-test::{job['id'][6:]}"
            job["trained_tokens"] = 1234
            self._tell(job, "The job has successfully completed")

    def _tell(self, job: dict[str, Any], message: str, data: object = None) -> None:
        self._events[job["id"]].append(
            {
                "id": f"ftevent-{next(self._numbers)}",
                "object": "fine_tuning.job.event",
                "created_at": int(time.time()),
                "level": "info",
                "message": message,
                "type": "metrics" if data else "message",
                "data": data,
            }
        )

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self.jobs[request.match_info["id"]]
        if job["status"] in ENDED:
            return _error(400, f"Job has already completed: {job['id']}", "")
        job["status"] = "cancelled"
        return _json(job)

    async def _list_jobs(self, request: web.Request) -> web.Response:
        jobs = list(self.jobs.values())[::-1]
        if self._forgets:
            self._forgets -= 1
            jobs = jobs[1:]
        for name, value in request.query.items():
            if name.startswith("metadata[") and "metadata" in self._knows:
                jobs = [job for job in jobs if (job["metadata"] or {}).get(name[9:-1]) == value]
        return _page(request, jobs)

    async def _list_events(self, request: web.Request) -> web.Response:
        return _page(request, self._events[request.match_info["id"]][::-1])

    async def _list_checkpoints(self, request: web.Request) -> web.Response:
        return _page(request, [])


def _page(request: web.Request, entries: list[dict[str, Any]]) -> web.Response:
    after, limit = request.query.get("after"), min(int(request.query.get("limit", "20")), 3)
    ids = [entry["id"] for entry in entries]
    start = ids.index(after) + 1 if after in ids else 0
    page = entries[start : start + limit]
    return _json({"object": "list", "data": page, "has_more": start + limit < len(entries)})


def _faulty(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.status:
        return _error(fault.status, "something went wrong", fault.code, fault.headers)
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=orjson.dumps(value), status=status, content_type="application/json", headers=headers
    )


def _error(
    status: int, message: str, code: str, headers: dict[str, str] | None = None
) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return _json({"error": error}, status, headers)
