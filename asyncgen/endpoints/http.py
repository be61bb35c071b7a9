"""A language model's service over HTTP: OpenAI-compatible or Anthropic's, by its wire."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from asyncgen.endpoints import bodies
from asyncgen.endpoints.anthropic_wire import ANTHROPIC
from asyncgen.endpoints.failures import disguised_failure, failure_of
from asyncgen.endpoints.hints import family_of, hints_of
from asyncgen.endpoints.keys import key_in, usable_key, without_key
from asyncgen.endpoints.openai_wire import OPENAI
from asyncgen.endpoints.refusals import Refusal, explained
from asyncgen.endpoints.transport import Timeouts, attempt, open_session
from asyncgen.endpoints.wire import Dialect
from asyncgen.errors import BadAnswerError, EndpointError, TransientError
from asyncgen.records import Completion, Reply
from asyncgen.settings import api_family

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    import aiohttp

    from asyncgen.endpoints.http_options import HttpOptions
    from asyncgen.endpoints.prices import PriceList
    from asyncgen.endpoints.wire import Said
    from asyncgen.records import RateHint, Request
    from asyncgen.settings import HeaderFamily

__all__ = ["HttpEndpoint"]

_EXPLAIN_SECONDS = 3.0
"""A refusal is not held up for longer to find out which models are served."""

_HEARS_EVERY = 0.005
"""Seconds. Of answers that come closer together only one is heard on limits: reading all of
them would take a tenth of the time of a request. What is refused is always heard."""


class HttpEndpoint:
    """One base URL with one key and one model.

    The session is opened with the context manager; one connection for each
    request in flight, the engine decides how many.

    Args:
        options: How to talk to it.
        prices: What its answers cost; ``None`` where no price is known.
    """

    def __init__(self, options: HttpOptions, *, prices: PriceList | None = None) -> None:
        self.name = options.name or options.base_url
        # OpenAI's two interfaces are told apart by each request.
        self.identity = options.identity or f"{api_family(options.api)} {options.model}"
        self.paid = options.paid
        self._options = options
        self._prices = prices
        self._wire = ANTHROPIC if options.api == "anthropic" else OPENAI
        self._family: HeaderFamily = family_of(options.base_url, options.headers)
        self._dialect = Dialect(model=options.model, restricts_choices=options.restricts_choices)
        # The host alone: replicas on other ports of it must not change the dataset.
        self._label = options.label or urlsplit(options.base_url).hostname or options.base_url
        self._session: aiohttp.ClientSession | None = None
        self._heard_at = 0.0
        self._asking_models = asyncio.Lock()
        self._has_asked_models = False
        self._served: list[str] | None = None

    async def __aenter__(self) -> Self:
        options = self._options
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers |= self._wire.key_headers(usable_key(options.api_key_env))
        self._session = open_session(options.base_url, headers, options.timeouts)
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

    async def send(self, request: Request) -> Reply:
        """Make one attempt; see :meth:`asyncgen.endpoints.base.Endpoint.send`."""
        started_at, started = time.time(), time.perf_counter()
        while True:
            dialect = self._dialect
            status, headers, content = await self._post(request, dialect)
            if status == 200:
                break
            await self._adapt(request, dialect, status, headers, content)
        hints = self._heard(headers)
        said = self._read(content, request, hints)
        completion = Completion(
            text=said.text,
            finish_reason=said.finish_reason,
            usage=said.usage,
            endpoint=self._label,
            model=said.model,
            cost=None if self._prices is None else self._prices.cost(said.model, said.usage),
            choice_logprobs=said.choice_logprobs,
            started_at=started_at,
            seconds=time.perf_counter() - started,
        )
        return Reply(completion, hints)

    def worst_cost(self, request: Request) -> float | None:
        """Return the most that an attempt may cost: no token is shorter than a byte."""
        if self._prices is None:
            return None
        return self._prices.worst(request.prompt.worst_tokens, request.sampling.max_output_tokens)

    async def _post(self, request: Request, dialect: Dialect) -> tuple[int, Any, bytes]:
        options, body = self._options, self._wire.body(request, dialect)
        url = self._url(self._path(request))
        with attempt(options.base_url, options.timeouts) as under_way:
            async with self._opened().post(url, data=body) as response:
                return response.status, response.headers, await under_way.read(response)

    async def _adapt(
        self, request: Request, sent: Dialect, status: int, headers: Any, content: bytes
    ) -> None:
        """Where a refusal names an optional parameter, leave it out for good; else raise it."""
        now = self._heard_at = time.time()
        content = self._without_key(content)
        if self._wire.adapt(sent, status, content) is not None:
            # Another request may have learned the same while this one was under way.
            self._dialect = self._wire.adapt(self._dialect, status, content) or self._dialect
            return
        hints = hints_of(headers, self._family, now)
        error = failure_of(status, headers, content, where=self.name, hints=hints, now=now)
        if error is not None:
            raise error
        refusal = Refusal(status, bodies.error_message(content), self._path(request))
        raise explained(
            refusal,
            self._options,
            has_key=bool(key_in(self._options.api_key_env)),
            served=await self._served_models() if status == 404 else None,
        )

    def _heard(self, headers: Any) -> tuple[RateHint, ...]:
        now = time.time()
        if 0 <= now - self._heard_at < _HEARS_EVERY:
            return ()
        self._heard_at = now
        return hints_of(headers, self._family, now)

    def _read(self, content: bytes, request: Request, hints: tuple[RateHint, ...]) -> Said:
        if not request.sampling.choices and (said := self._wire.glance(content)) is not None:
            return said
        try:
            return self._understood(content, request)
        except EndpointError:
            pass
        try:
            # The same failure again, in words that do not quote the key.
            return self._understood(self._without_key(content), request)
        except EndpointError as error:
            error.hints = hints
            raise

    def _understood(self, content: bytes, request: Request) -> Said:
        body = _parsed(content)
        failure = disguised_failure(body, where=self.name)
        if failure is not None:
            raise failure
        return self._wire.read(body, request.sampling)

    async def _served_models(self) -> list[str] | None:
        """Return what the service says it serves; asked once, however many are refused at once."""
        async with self._asking_models:
            if not self._has_asked_models:
                self._served = await self._ask_models()
                self._has_asked_models = True
            return self._served

    async def _ask_models(self) -> list[str] | None:
        url = self._url(self._wire.models_path(self._options.base_url))
        brief = Timeouts(total=_EXPLAIN_SECONDS)
        try:
            with attempt(self._options.base_url, brief) as under_way:
                async with self._opened().get(url) as response:
                    content = await under_way.read(response)
                    return bodies.model_names(content) if response.status == 200 else None
        except TransientError:
            return None

    def _path(self, request: Request) -> str:
        return self._wire.path(self._options.base_url, request.prompt.api)

    def _url(self, path: str) -> str:
        return f"{self._options.base_url.rstrip('/')}{path}"

    def _without_key(self, content: bytes) -> bytes:
        return without_key(content, self._options.api_key_env)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the endpoint is used outside its context manager")
        return self._session


def _parsed(content: bytes) -> Any:
    try:
        return bodies.parsed(content)
    except ValueError as error:
        raise BadAnswerError(
            f"HTTP 200, but the answer is not JSON: {bodies.error_message(content)}"
        ) from error
