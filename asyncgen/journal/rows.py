"""The way of answers into rows and back."""

from __future__ import annotations

import hashlib
import sqlite3
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from asyncgen.records import Answer, Completion, Failures, Prompt, Request, Sampling, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["RowWriter", "read", "read_digests", "request_digest"]

T = TypeVar("T")

_COLUMNS = (
    *("stage", "key", "shown", "request_sha256", "prefix", "variable", "sampling", "seed"),
    *("text", "finish_reason", "input_tokens", "output_tokens", "cached_tokens"),
    *("cache_write_tokens", "reasoning_tokens", "cost", "lost_cost", "choice_logprobs"),
    *("endpoint", "model", "started_at", "seconds"),
    *("failed_rate", "failed_overload", "failed_lost", "failed_other", "recalled"),
)
_MOST_ROWS = 128
"""Of one statement; a power of two."""


class RowWriter:
    """Inserts answers, many by one statement.

    A statement lets go of the interpreter's lock once, whatever it inserts: row by row, the
    thread that writes and that of the event loop would hand the lock to and fro all the time.

    It holds the numbers of shared texts; after a transaction that was rolled back call
    :meth:`forget`, for some may be gone.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = {}

    def insert(self, answers: Sequence[Answer]) -> None:
        """Insert answers within the open transaction."""
        start, most = 0, _MOST_ROWS
        while start < len(answers):
            # Few different statements, so that the connection keeps each prepared.
            while most > len(answers) - start:
                most //= 2
            rows: list[object] = []
            for answer in answers[start : start + most]:
                rows += self._row(answer)
            self._connection.execute(_insertion(most), rows)
            start += most

    def forget(self) -> None:
        """Forget the numbers of shared texts."""
        self._numbers.clear()

    def _row(self, answer: Answer) -> tuple[object, ...]:
        request, completion = answer.request, answer.completion
        prompt, sampling, usage = request.prompt, request.sampling, completion.usage
        prefix, begun = _prefix(prompt)
        logprobs, failures = completion.choice_logprobs, completion.failures
        return (
            request.stage,
            request.key,
            msgspec.json.encode(request.shown).decode(),
            _digest(begun, request),
            self._number(prefix),
            prompt.variable,
            self._sampling(sampling),
            sampling.seed,
            completion.text,
            completion.finish_reason,
            usage.input_tokens,
            usage.output_tokens,
            usage.cached_tokens,
            usage.cache_write_tokens,
            usage.reasoning_tokens,
            completion.cost,
            completion.lost_cost,
            None if logprobs is None else msgspec.json.encode(logprobs).decode(),
            self._number(completion.endpoint),
            self._number(completion.model),
            completion.started_at,
            completion.seconds,
            failures.rate,
            failures.overload,
            failures.lost,
            failures.other,
            completion.recalled,
        )

    def _sampling(self, sampling: Sampling) -> int:
        text = msgspec.json.encode(msgspec.structs.replace(sampling, seed=None)).decode()
        return self._number(text)

    def _number(self, text: str) -> int:
        """Return the number of a shared text, which is stored unless it is there."""
        number = self._numbers.get(text)
        if number is None:
            self._connection.execute("INSERT OR IGNORE INTO shared (text) VALUES (?)", (text,))
            found = self._connection.execute("SELECT id FROM shared WHERE text = ?", (text,))
            number = self._numbers[text] = int(found.fetchone()[0])
        return number


@cache
def _insertion(rows: int) -> str:
    row = f"({', '.join('?' * len(_COLUMNS))})"
    values = ", ".join([row] * rows)
    return f"INSERT INTO answers ({', '.join(_COLUMNS)}) VALUES {values}"  # noqa: S608 - names of ours


def request_digest(request: Request) -> bytes:
    """Return the SHA-256 of what is asked: the prompt and how to decode."""
    return _digest(_prefix(request.prompt)[1], request)


def _digest(begun: hashlib._Hash, request: Request) -> bytes:
    digest = begun.copy()
    digest.update(_bytes(f"\0{request.prompt.variable}\0"))
    digest.update(msgspec.json.encode(request.sampling))
    return digest.digest()


def _prefix(prompt: Prompt) -> tuple[str, hashlib._Hash]:
    """Return what many prompts share as JSON, and a digest begun with it."""
    return _begun(msgspec.structs.replace(prompt, variable=""))


@lru_cache(maxsize=16)
def _begun(prompt: Prompt) -> tuple[str, hashlib._Hash]:
    # Few-shot blocks are long: to encode and to hash them costs more than all else of a row.
    text = msgspec.json.encode(prompt).decode()
    return text, hashlib.sha256(_bytes(text))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def read(connection: sqlite3.Connection) -> Iterator[Answer]:
    """Yield the answers in the order of their commits.

    Raises:
        sqlite3.DatabaseError: If the file is damaged.
        msgspec.MsgspecError: If a row is.
    """
    shared = _Shared(connection)
    columns = ", ".join(_COLUMNS)
    rows = connection.execute(f"SELECT number, {columns} FROM answers ORDER BY number")  # noqa: S608 - names of ours
    for expected, (number, *row) in enumerate(rows, start=1):
        if number != expected:
            # Nothing is ever deleted: pages are lost, or of different moments.
            raise sqlite3.DatabaseError(f"answer {expected} is missing")
        yield _answer(row, shared)


def read_digests(connection: sqlite3.Connection) -> Iterator[bytes]:
    """Yield what was asked as the SHA-256 that was written beside it, in the same order."""
    for (digest,) in connection.execute("SELECT request_sha256 FROM answers ORDER BY number"):
        yield digest


class _Shared:
    """Shared texts by number, each read and decoded once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.text = cache(self._text)
        self.prompt = cache(partial(self._decoded, Prompt))
        self.sampling = cache(partial(self._decoded, Sampling))

    def _text(self, number: int) -> str:
        found = self._connection.execute("SELECT text FROM shared WHERE id = ?", (number,))
        for (text,) in found:
            return str(text)
        raise sqlite3.DatabaseError(f"shared text {number} is missing")

    def _decoded(self, kind: type[T], number: int) -> T:
        return msgspec.json.decode(self.text(number), type=kind)


def _answer(row: list[Any], shared: _Shared) -> Answer:
    (stage, key, shown, _digest, prefix, variable, sampling, seed), answered = row[:8], row[8:]
    (text, finish_reason, *tokens), priced = answered[:7], answered[7:]
    cost, lost_cost, logprobs, endpoint, model, started_at, seconds, *failed, recalled = priced
    prompt = msgspec.structs.replace(shared.prompt(prefix), variable=variable)
    decoding = msgspec.structs.replace(shared.sampling(sampling), seed=seed)
    completion = Completion(
        text=text,
        finish_reason=finish_reason,
        usage=Usage(*tokens),
        endpoint=shared.text(endpoint),
        model=shared.text(model),
        cost=cost,
        lost_cost=lost_cost,
        choice_logprobs=None if logprobs is None else msgspec.json.decode(logprobs),
        started_at=started_at,
        seconds=seconds,
        failures=Failures(*failed),
        recalled=bool(recalled),
    )
    demonstrations = msgspec.json.decode(shown, type=tuple[str, ...])
    return Answer(Request(stage, key, prompt, decoding, demonstrations), completion)
