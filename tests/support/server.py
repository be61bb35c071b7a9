"""A real HTTP server on loopback, in a thread, following a script: OpenAI's and Anthropic's."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web
from support.scripts import answer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Self

__all__ = ["ModelServer", "Reply"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server does with a request.

    Attributes:
        text: The model's answer, for status 200; ``None`` as services say it.
        body: The raw body instead, for anything else.
        delay: Seconds before it answers.
        stall: Seconds between the first half of the answer and the second.
        reset: Close the connection without an answer.
        cut: Announce a longer body than is sent, then close the connection.
        choice: Fields of the choice besides, such as ``logprobs``.
        usage: The usage instead of counted words.
    """

    text: str | None = ""
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    stall: float = 0.0
    reset: bool = False
    finish_reason: str = "stop"
    cut: bool = False
    choice: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, Any] | None = None


def _answer(body: dict[str, Any], _number: int) -> Reply:
    return Reply(answer(prompt_of(body)))


def prompt_of(body: dict[str, Any]) -> str:
    """Return the whole prompt of a request body, chat or completion."""
    if "prompt" in body:
        return str(body["prompt"])
    contents = (message["content"] for message in body["messages"])
    # Anthropic's is a list of blocks where one is marked for the cache.
    return "\n".join(text if isinstance(text, str) else text[0]["text"] for text in contents)


class ModelServer:
    """Serves ``/v1/completions``, ``/v1/chat/completions``, ``/v1/messages`` and ``/v1/models``.

    Args:
        reply: Called with the request's body and its number, from 0, on the server's thread.
        model: The only model it knows; another name is answered with 404.
        key: The only key it accepts; ``None`` accepts all.
        tls: Serves HTTPS with this context.

    Attributes:
        bodies: Every request that was answered or refused, in order of arrival.
        headers: Their headers.
        most_in_flight: The largest number of requests that were open at a time.
    """

    def __init__(
        self,
        reply: Callable[[dict[str, Any], int], Reply] = _answer,
        *,
        model: str = "test-model",
        key: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_in_flight = 0
        self.port = 0
        self._reply = reply
        self._model = model
        self._key = key
        self._tls = tls
        self._in_flight = 0
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/v1/messages", self._complete)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=self._tls)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _models(self, _request: web.Request) -> web.Response:
        return _json({"object": "list", "data": [{"id": self._model, "object": "model"}]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            return await self._respond(request)
        finally:
            self._in_flight -= 1

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        body: dict[str, Any] = orjson.loads(await request.read())
        number = len(self.bodies)
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        sent = request.headers.get("x-api-key", request.headers.get("Authorization", ""))
        if self._key is not None and sent.removeprefix("Bearer ") != self._key:
            return _error(401, "Incorrect API key provided", "invalid_api_key")
        if body["model"] != self._model:
            return _error(404, f"The model '{body['model']}' does not exist", "model_not_found")
        reply = self._reply(body, number)
        await asyncio.sleep(reply.delay)
        if reply.reset:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if reply.cut:
            return await _cut_short(request, reply.body or b"{")
        content = reply.body
        if content is None and reply.status == 200:
            is_message = request.path.endswith("/messages")
            content = orjson.dumps((self._message if is_message else self._completion)(body, reply))
        if reply.stall:
            return await _in_halves(request, content or b"", reply.stall)
        return web.Response(status=reply.status, body=content, headers=reply.headers)

    def _message(self, _body: dict[str, Any], reply: Reply) -> dict[str, Any]:
        return {
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [{"type": "text", "text": reply.text}],
            "stop_reason": reply.finish_reason,
            "usage": reply.usage or {"input_tokens": 1, "output_tokens": 1},
        } | reply.choice

    def _completion(self, body: dict[str, Any], reply: Reply) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, "finish_reason": reply.finish_reason}
        if "messages" in body:
            choice["message"] = {"role": "assistant", "content": reply.text}
        else:
            choice["text"] = reply.text
        words = len(prompt_of(body).split()), len((reply.text or "").split())
        usage = reply.usage or {"prompt_tokens": words[0], "completion_tokens": words[1]}
        return {"model": self._model, "choices": [choice | reply.choice], "usage": usage}


async def _in_halves(request: web.Request, body: bytes, pause: float) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    await asyncio.sleep(pause)
    await response.write(body[len(body) // 2 :])
    return response


async def _cut_short(request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(body) + 100)})
    await response.prepare(request)
    await response.write(body)
    assert request.transport is not None
    request.transport.close()
    return response


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


def _error(status: int, message: str, code: str) -> web.Response:
    return _json({"error": {"message": message, "type": "invalid", "code": code}}, status)
