"""OpenAI-compatible chat completions and completions, over aiohttp and orjson."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
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

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from asyncgen.endpoints.prices import Pricer
    from asyncgen.records import Completion, Request

__all__ = ["OpenAIEndpoint", "OpenAIOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIOptions:
    """How to talk to an OpenAI-compatible service.

    Attributes:
        base_url: Such as ``https://HOST/v1``, without the last path segment of a method.
        model: The model's name as the service knows it.
        api: ``chat`` or ``completions``.
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
    api: Literal["chat", "completions"] = "chat"
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
            model=options.model, api=options.api, restricts_choices=options.restricts_choices
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

    async def send(self, request: Request) -> Completion:
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
            return completion
        return wire.with_cost(completion, self._price(completion.model, completion.usage))

    async def _post_adapting(self, request: Request) -> Any:
        """Post; where the service refuses an optional parameter by name, leave it out for good."""
        while True:
            status, headers, content = await self._post(wire.body_of(request, self._dialect))
            if status == 200:
                return _parse(content)
            adapted = wire.adapt(self._dialect, status, content)
            if adapted is not None:
                self._dialect = adapted
                continue
            error = failure_of(status, headers, content)
            if error is not None:
                raise error
            raise await self._explain_refusal(status, content)

    async def _post(self, body: dict[str, Any]) -> tuple[int, Any, bytes]:
        url = f"{self._options.base_url.rstrip('/')}{wire.PATHS[self._options.api]}"
        with _translated(self._options):
            async with self._opened().post(url, data=orjson.dumps(body)) as response:
                return response.status, response.headers, await response.read()

    async def _explain_refusal(self, status: int, content: bytes) -> AsyncgenError:
        """Say which of key, path, model and request is wrong; a 404 is cleared up by asking."""
        options = self._options
        said = wire.error_message(content)
        if status in {401, 403}:
            key = os.environ.get(options.api_key_env)
            problem = "the key in" if key else "no key in"
            return EndpointRefusedError(
                f"{options.base_url}: HTTP {status}, {problem} ${options.api_key_env} is not "
                f"accepted for it: {said}; set ${options.api_key_env}, or name another variable "
                "with --api-key-env"
            )
        if status == 404:
            return await self._explain_not_found(said)
        return EndpointRefusedError(
            f"{options.base_url}: HTTP {status}, the request is not accepted: {said}"
        )

    async def _explain_not_found(self, said: str) -> EndpointRefusedError:
        options = self._options
        served = await self._served_models()
        if served is None:
            return EndpointRefusedError(
                f"{options.base_url}: HTTP 404, wrong path: there is no {wire.PATHS[options.api]} "
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
            f"{wire.PATHS[options.api]}: try --api "
            f"{'completions' if options.api == 'chat' else 'chat'} ({said})"
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

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the endpoint is used outside its context manager")
        return self._session


def _headers(api_key_env: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    key = os.environ.get(api_key_env, "").strip()
    if key:
        if not key.isascii() or not key.isprintable():
            raise SettingsError(f"${api_key_env}: the key holds characters that no header can")
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _parse(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise TransientError(
            f"the answer is not JSON ({len(content)} bytes)", possibly_billed=True
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
                    f"{url}: TLS failed: {error}; check the scheme, or the CA bundle in "
                    "$SSL_CERT_FILE"
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
            case aiohttp.InvalidURL():
                raise EndpointRefusedError(f"{url}: not a URL") from error
            case aiohttp.ClientError():
                problem = str(error) or type(error).__name__
                raise TransientError(f"{url}: {problem}", possibly_billed=True) from error
            case _:
                return


def _said(error: OSError) -> str:
    """Return the system's words for an error; asyncio hides them behind its own."""
    return os.strerror(error.errno).lower() if error.errno else str(error)
