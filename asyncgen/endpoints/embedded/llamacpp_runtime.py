"""The llama.cpp runtime: llama.cpp's own server in this process, spoken to over loopback.

It opens any GGUF.  The prebuilt wheels use no newer vector instructions on Linux, so it is
several times slower than OpenVINO there (see benchmarks/LOG.md).
"""

from __future__ import annotations

import importlib
import os
import secrets
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from asyncgen.endpoints.embedded.generation import (
    Generation,
    GenerationParameters,
    RuntimeFailedError,
    ScoredToken,
    UnservableError,
)
from asyncgen.errors import MissingExtraError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from asyncgen.endpoints.embedded.gguf import GgufHeader
    from asyncgen.endpoints.embedded.options import ServerOptions

__all__ = ["LlamaCppRuntime", "load_llamacpp"]

# Each slot computes the fixed beginning of the prompts for itself, and without wide vector
# instructions a larger batch is no faster (benchmarks/LOG.md).
_MAX_SLOTS = 8


def load_llamacpp(path: Path, header: GgufHeader, options: ServerOptions) -> LlamaCppRuntime:
    """Load a GGUF file into llama.cpp.

    Raises:
        MissingExtraError: xllamacpp is not installed.
        ModelFileError: llama.cpp cannot open this file.
    """
    try:
        # By name: the package ships no types.
        xllamacpp: Any = importlib.import_module("xllamacpp")
    except ImportError as error:
        raise MissingExtraError("the embedded model", "local") from error
    trained = header.number("context_length", 2048)
    token = secrets.token_urlsafe(16)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    slots = min(options.slots, _MAX_SLOTS)
    params.n_parallel = slots
    # One cache for all slots: a slot may use a whole context while others use little.
    params.kv_unified = True
    params.n_ctx = min(
        trained * slots, max(trained, _cache_tokens(header, options.cache_gigabytes))
    )
    params.cache_prompt = options.prefix_caching
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = 1
    # Other users of the machine can reach the port, but not use it.
    params.api_keys = [token]
    # Its threads wait for each other by spinning: one that shares its core with somebody else
    # stalls them all, so one core is left to the others.
    threads = options.threads or max(1, (os.cpu_count() or 2) - 1)
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise ModelFileError(f"{path}: llama.cpp cannot open this model: {error}") from error
    return LlamaCppRuntime(server, token, trained, prefix_caching=options.prefix_caching)


def _cache_tokens(header: GgufHeader, gigabytes: int) -> int:
    """Return how many tokens' keys and values (16 bits each) fit into a cache."""
    heads = header.number("attention.head_count", 32)
    width = header.number("embedding_length", 4096) // max(1, heads)
    kept_heads = header.number("attention.head_count_kv", heads)
    bytes_per_token = header.number("block_count", 32) * kept_heads * width * 2 * 2
    return (gigabytes << 30) // max(1, bytes_per_token)


class LlamaCppRuntime:
    """A model loaded into llama.cpp's server."""

    def __init__(
        self, server: Any, token: str, context_length: int, *, prefix_caching: bool
    ) -> None:
        self._server = server  # stops when it is collected
        self._token = token
        self._context_length = context_length
        self._prefix_caching = prefix_caching
        self._session: aiohttp.ClientSession | None = None

    @property
    def context_length(self) -> int:
        """Most tokens of a prompt and its continuation together."""
        return self._context_length

    async def chat_prompt(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return the messages written out by the model's chat template."""
        answer = await self._post("/apply-template", {"messages": list(messages)})
        return str(answer["prompt"])

    async def tokenize(self, text: str, *, special: bool) -> tuple[int, ...]:
        """Return the text's token ids."""
        answer = await self._post(
            "/tokenize", {"content": text, "add_special": special, "parse_special": True}
        )
        return tuple(answer["tokens"])

    async def generate(
        self, prompt: tuple[int, ...], parameters: GenerationParameters
    ) -> Generation:
        """Continue a prompt.

        Raises:
            UnservableError: The parameters cannot be honoured.
            RuntimeFailedError: llama.cpp's server does not answer.
        """
        if parameters.echo:
            raise UnservableError("llama.cpp does not score the prompt (echo with logprobs)")
        answer = await self._post("/completion", self._completion_body(prompt, parameters))
        scored = answer.get("completion_probabilities", []) if parameters.logprobs else []
        return Generation(
            text=answer["content"],
            finish_reason="length" if answer["stop_type"] == "limit" else "stop",
            prompt_tokens=len(prompt),
            completion_tokens=answer["tokens_predicted"],
            cached_tokens=answer["timings"]["cache_n"],
            tokens=tuple(ScoredToken(token["token"], token["logprob"]) for token in scored),
        )

    async def score(self, prompt: tuple[int, ...], token: int) -> float:
        """Return the natural log-probability of one token right after the prompt.

        Raises:
            UnservableError: llama.cpp refuses to generate this token.
            RuntimeFailedError: llama.cpp's server does not answer.
        """
        body = {
            "prompt": prompt,
            "n_predict": 1,
            "n_probs": 1,
            "temperature": 0,
            "grammar": f"root ::= <[{token}]>",
            "cache_prompt": self._prefix_caching,
        }
        answer = await self._post("/completion", body)
        if not answer.get("completion_probabilities"):
            # llama.cpp holds back half characters, and their scores with them.
            raise UnservableError(f"token {token} is not whole characters")
        return float(answer["completion_probabilities"][0]["logprob"])

    def close(self) -> None:
        """Nothing to do: the server ends with the process."""

    def _completion_body(
        self, prompt: tuple[int, ...], parameters: GenerationParameters
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "prompt": prompt,
            "n_predict": parameters.max_tokens,
            "temperature": parameters.temperature,
            "top_p": parameters.top_p,
            "top_k": parameters.top_k,
            "min_p": parameters.min_p,
            "seed": parameters.seed,
            "stop": parameters.stop,
            "presence_penalty": parameters.presence_penalty,
            "frequency_penalty": parameters.frequency_penalty,
            "repeat_penalty": parameters.repetition_penalty,
            # Penalties look back over the whole context, as elsewhere.
            "repeat_last_n": self._context_length,
            "n_probs": int(parameters.logprobs),
            "cache_prompt": self._prefix_caching,
        }
        match parameters.constraint:
            case None:
                pass
            case constraint if constraint.kind == "json":
                body["json_schema"] = orjson.loads(constraint.value)
            case constraint if constraint.kind == "regex":
                pattern = constraint.value.replace("/", r"\/")
                body["grammar"] = f"%llguidance {{}}\nstart: /{pattern}/"
            case constraint:
                body["grammar"] = constraint.value
        return body

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                self._server.listening_address,
                headers={"Authorization": f"Bearer {self._token}"},
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(),
            )
        try:
            # Hanging up, as cancellation does, makes llama.cpp drop the request.
            async with self._session.post(path, data=orjson.dumps(body)) as response:
                answer: dict[str, Any] = orjson.loads(await response.read())
        except aiohttp.ClientError as error:
            raise RuntimeFailedError(f"llama.cpp's server does not answer: {error}") from error
        if response.status != 200:
            raise UnservableError(f"llama.cpp refuses the request: {answer['error']['message']}")
        return answer
