"""The embedded model's web server: OpenAI's completions and chat completions.

Errors are OpenAI's too: `{"error": {"message", "type", "param", "code"}}`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from asyncgen.endpoints.embedded import answers
from asyncgen.endpoints.embedded.choice import Choice, choose
from asyncgen.endpoints.embedded.fields import BadRequestError
from asyncgen.endpoints.embedded.generation import (
    Generation,
    RuntimeFailedError,
    UnservableError,
)
from asyncgen.endpoints.embedded.requests import (
    ServedRequest,
    read_chat_request,
    read_completion_request,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncgen.endpoints.embedded.generation import GenerationParameters, Runtime

__all__ = ["create_app"]

_MAX_BODY = 16 << 20  # bytes


def create_app(runtime: Runtime, model: str) -> web.Application:
    """Return the web application that serves one model."""
    server = _Server(runtime, model)
    app = web.Application(middlewares=[_answer_errors], client_max_size=_MAX_BODY)
    app.add_routes(
        [
            web.get("/health", server.health),
            web.get("/v1/models", server.models),
            web.post("/v1/completions", server.completions),
            web.post("/v1/chat/completions", server.chat_completions),
        ]
    )
    return app


class _Server:
    """The handlers."""

    def __init__(self, runtime: Runtime, model: str) -> None:
        self._runtime = runtime
        self._model = model

    async def health(self, _request: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def models(self, _request: web.Request) -> web.Response:
        return _json(answers.models_answer(self._model, self._runtime.context_length))

    async def completions(self, request: web.Request) -> web.Response:
        asked = read_completion_request(await request.read(), self._model)
        prompt = await self._runtime.tokenize(asked.prompt, special=True)
        generation, choice = await self._answer(prompt, asked)
        text = asked.prompt + generation.text if asked.echo else generation.text
        logprobs = None
        if asked.parameters.logprobs:
            logprobs = (
                answers.choice_logprobs(choice)
                if choice
                else answers.token_logprobs(generation.tokens)
            )
        return _json(answers.completion_answer(self._model, text, generation, logprobs))

    async def chat_completions(self, request: web.Request) -> web.Response:
        asked = read_chat_request(await request.read(), self._model)
        begun = asked.messages[-1]["content"] if asked.continues else ""
        conversation = asked.messages[:-1] if asked.continues else asked.messages
        text = await self._runtime.chat_prompt(conversation) + begun
        # The chat template writes the special tokens itself.
        prompt = await self._runtime.tokenize(text, special=False)
        generation, choice = await self._answer(prompt, asked)
        logprobs = None
        if asked.parameters.logprobs:
            logprobs = (
                answers.choice_chat_logprobs(choice)
                if choice
                else answers.token_chat_logprobs(generation.tokens)
            )
        return _json(answers.chat_answer(self._model, generation, logprobs))

    async def _answer(
        self, prompt: tuple[int, ...], asked: ServedRequest
    ) -> tuple[Generation, Choice | None]:
        parameters = self._within_context(len(prompt), asked.parameters)
        if not asked.choices:
            return await self._runtime.generate(prompt, parameters), None
        choice = await choose(self._runtime, prompt, asked.choices, parameters)
        generation = Generation(
            text=choice.text,
            finish_reason="stop",
            prompt_tokens=len(prompt),
            completion_tokens=choice.tokens,
        )
        return generation, choice

    def _within_context(
        self, prompt_tokens: int, parameters: GenerationParameters
    ) -> GenerationParameters:
        limit = self._runtime.context_length
        # An open end takes what is left, at least one token.
        max_tokens = parameters.max_tokens or max(1, limit - prompt_tokens)
        if prompt_tokens + max_tokens > limit:
            raise BadRequestError(
                f"the model's context is {limit} tokens; the prompt has {prompt_tokens} and "
                f"{max_tokens} more were asked for",
                "messages" if parameters.max_tokens == 0 else "max_tokens",
                "context_length_exceeded",
            )
        return replace(parameters, max_tokens=max_tokens)


@web.middleware
async def _answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except BadRequestError as error:
        return _error(error.status, str(error), error.param, error.code)
    except UnservableError as error:
        return _error(400, str(error))
    except RuntimeFailedError as error:
        return _error(503, str(error), code="runtime_failed")
    except web.HTTPException as error:
        return _error(error.status, f"{request.method} {request.path}: {error.reason}")


def _error(
    status: int, message: str, param: str | None = None, code: str | None = None
) -> web.Response:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return _json(answers.error_answer(message, kind, param, code), status)


def _json(content: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json")
