"""OpenAI-compatible chat completions and completions, over aiohttp and orjson."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from asyncgen.endpoints import openai_wire as wire
from asyncgen.endpoints.failures import failure_of
from asyncgen.errors import (
    AsyncgenError,
    EndpointRefusedError,
    SettingsError,
    TransientError,
    UnreachableError,
)
from asyncgen.records import Reply, Usage

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from asyncgen.endpoints.prices import Pricer
    from asyncgen.records import Api, Request

__all__ = ["OpenAIEndpoint", "OpenAIOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIOptions:
    """How to talk to an OpenAI-compatible service.

    Attributes:
        base_url: Such as ``https://HOST/v1``, without the last path segment of a method.
        model: The model's name as the service knows it.
        api_key_env: Environment variable that holds the key; unset means no key is sent.
        timeout: Seconds for one whole request.
        connect_timeout: Seconds to connect.
        label: What a dataset's provenance calls the endpoint; the host by default.
        paid: Whether answers cost money.
        restricts_choices: Whether the service decodes under vLLM's
            ``structured_outputs`` and reports the log-probability of every choice.
    """

    base_url: str
    model: str
    api_key_env: str = "OPENAI_API_KEY"
    timeout: float = 300.0
    connect_timeout: float = 10.0
    label: str = ""
    paid: bool = True
    restricts_choices: bool = False


class OpenAIEndpoint:
    """One base URL with one key and one model.

    The session is opened with the context manager; one connection for each
    request in flight, the engine decides how many.
    """

    def __init__(self, options: OpenAIOptions, *, price: Pricer | None = None) -> None:
        self.name = options.base_url
        self.paid = options.paid
        self._options = options
        self._price = price
        self._dialect = wire.Dialect(
            model=options.model, restricts_choices=options.restricts_choices
        )
        # The host alone: replicas on other ports of it must not change the dataset.
        self._label = options.label or urlsplit(options.base_url).hostname or options.base_url
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        options = self._options
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
            timeout=aiohttp.ClientTimeout(
                total=options.timeout, sock_connect=options.connect_timeout
            ),
            headers=_headers(options.api_key_env),
            trust_env=True,
        )
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
        body = await self._post_adapting(request)
        completion = wire.read_completion(
            body,
            request.sampling,
            endpoint=self._label,
            started_at=started_at,
            seconds=time.perf_counter() - started,
        )
        if self._price is None:
            return Reply(completion)
        cost = self._price(completion.model, completion.usage)
        return Reply(wire.with_cost(completion, cost))

    def worst_cost(self, request: Request) -> float | None:
        """Return the most that an attempt may cost: no token is shorter than a byte."""
        if self._price is None:
            return None
        usage = Usage(
            input_tokens=request.prompt.worst_tokens,
            output_tokens=request.sampling.max_output_tokens,
        )
        return self._price(self._options.model, usage)

    async def _post_adapting(self, request: Request) -> Any:
        """Post; where the service refuses an optional parameter by name, leave it out for good."""
        while True:
            sent = self._dialect
            path = wire.PATHS[request.prompt.api]
            status, headers, content = await self._post(path, wire.body_of(request, sent))
            if status == 200:
                return _parse(content)
            content = self._without_key(content)
            if wire.adapt(sent, status, content) is not None:
                # Another request may have learned the same while this one was under way.
                self._dialect = wire.adapt(self._dialect, status, content) or self._dialect
                continue
            error = failure_of(status, headers, content, where=self.name)
            if error is not None:
                raise error
            raise await self._explain_refusal(status, content, request.prompt.api)

    async def _post(self, path: str, body: dict[str, Any]) -> tuple[int, Any, bytes]:
        url = f"{self._options.base_url.rstrip('/')}{path}"
        with _translated(self._options):
            async with self._opened().post(url, data=orjson.dumps(body)) as response:
                return response.status, response.headers, await response.read()

    async def _explain_refusal(self, status: int, content: bytes, api: Api) -> AsyncgenError:
        """Say which of key, path, model and request is wrong; a 404 is cleared up by asking."""
        options = self._options
        said = wire.error_message(content)
        if status in {401, 403}:
            problem = "the key in" if _key(options.api_key_env) else "no key in"
            return EndpointRefusedError(
                f"{options.base_url}: HTTP {status}, {problem} ${options.api_key_env} is not "
                f"accepted for it: {said}; set ${options.api_key_env}, or name another variable "
                "with --api-key-env"
            )
        if status == 404:
            return await self._explain_not_found(said, api)
        return EndpointRefusedError(
            f"{options.base_url}: HTTP {status}, the request is not accepted: {said}"
        )

    async def _explain_not_found(self, said: str, api: Api) -> EndpointRefusedError:
        options = self._options
        served = await self._served_models()
        if served is None:
            return EndpointRefusedError(
                f"{options.base_url}: HTTP 404, wrong path: there is no {wire.PATHS[api]} "
                f"below it; the base URL usually ends in /v1 ({said})"
            )
        if options.model not in served:
            listing = ", ".join(served[:8]) + (", …" if len(served) > 8 else "")
            return EndpointRefusedError(
                f"{options.base_url}: HTTP 404, unknown model '{options.model}'; "
                f"it serves: {listing}"
            )
        return EndpointRefusedError(
            f"{options.base_url}: HTTP 404, it serves '{options.model}' but not "
            f"{wire.PATHS[api]}: try --api {'completions' if api == 'chat' else 'chat'} ({said})"
        )

    async def _served_models(self) -> list[str] | None:
        url = f"{self._options.base_url.rstrip('/')}/models"
        try:
            with _translated(self._options):
                async with self._opened().get(url) as response:
                    content = await response.read()
                    return wire.model_names(content) if response.status == 200 else None
        except TransientError:
            return None

    def _without_key(self, content: bytes) -> bytes:
        """Blot out the key in what a service says of an error: some quote what they were sent."""
        key = _key(self._options.api_key_env).encode()
        return content.replace(key, b"***") if key else content

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the endpoint is used outside its context manager")
        return self._session


def _headers(api_key_env: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    key = _key(api_key_env)
    if key:
        if not key.isascii() or not key.isprintable():
            raise SettingsError(f"${api_key_env}: the key holds characters that no header can")
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _key(api_key_env: str) -> str:
    return os.environ.get(api_key_env, "").strip()


def _parse(content: bytes) -> Any:
    try:
        return wire.parsed(content)
    except ValueError as error:
        raise TransientError(
            f"HTTP 200, but the answer is not JSON: {wire.error_message(content)}",
            possibly_billed=True,
        ) from error


class _translated:  # noqa: N801 - reads as a word where it is used
    """Turn aiohttp's exceptions into ours, at the seam and nowhere else."""

    def __init__(self, options: OpenAIOptions) -> None:
        self._options = options

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        url = self._options.base_url
        host = urlsplit(url).hostname
        match error:
            case aiohttp.ClientConnectorDNSError():
                raise UnreachableError(f"{url}: unknown host '{host}'") from error
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
                raise EndpointRefusedError(
                    f"{url}: TLS failed: {wire.one_line(error)}; check the scheme, or the CA "
                    "bundle in $SSL_CERT_FILE"
                ) from error
            case aiohttp.ConnectionTimeoutError():
                seconds = self._options.connect_timeout
                raise UnreachableError(f"{url}: no connection within {seconds:g} s") from error
            case aiohttp.ClientConnectorError():
                raise UnreachableError(
                    f"{url}: {_said(error.os_error)}; is the server running there?"
                ) from error
            case TimeoutError():
                raise TransientError(
                    f"{url}: no answer within {self._options.timeout:g} s", possibly_billed=True
                ) from error
            case aiohttp.InvalidURL() | UnicodeError():
                raise EndpointRefusedError(f"{url}: not a URL") from error
            case aiohttp.ClientError():
                said = getattr(error, "message", "") or error
                problem = wire.one_line(said) or type(error).__name__
                raise TransientError(f"{url}: {problem}", possibly_billed=True) from error
            case _:
                return


def _said(error: OSError) -> str:
    """Return the system's words for an error; asyncio hides them behind its own."""
    said = os.strerror(error.errno).lower() if error.errno else wire.one_line(error)
    return said or "the connection was closed while it was made"
