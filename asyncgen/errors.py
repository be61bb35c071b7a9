"""Everything that can go wrong, named once, with its data.

```
AsyncgenError
├── InputError                 exit 2: settings, seeds, flags, run folder; says how to mend
│   ├── SettingsError
│   ├── SeedError              file, line, what
│   ├── CorpusError            a corpus cannot be read or written: file, row, what
│   ├── RunFolderError         not writable, of other settings, damaged, in use
│   ├── CacheError             the shared cache is not writable, of something else or damaged
│   ├── ExportError            a dataset cannot be divided, written or pushed as asked
│   ├── ModelFileError         the embedded model's file is missing or damaged
│   ├── EndpointRefusedError   the endpoint says no for good: host, path, key, model or request
│   └── MissingExtraError      an optional dependency is not installed
├── EndpointError              one attempt failed
│   ├── TransientError         worth another attempt (5xx, a connection that broke)
│   │   ├── RateLimitedError   asked too fast: by its limits, or by how fast the rate grew
│   │   ├── OverloadedError    the provider has too much to do, whoever asks
│   │   ├── TimedOutError      connect, first_byte, stalled or total: the phase that took too long
│   │   ├── DisconnectedError  the connection broke before the answer was there
│   │   ├── BadAnswerError     cut off on the way, empty, not JSON, or an error in disguise
│   │   └── UnreachableError   nothing answers at that address
│   ├── QuotaError             this key has no credit, or nothing left of a day's quota
│   └── RequestRejectedError   this request will never be answered (context overflow, say)
├── RunPausedError             exit 3: stopped early, resumable (no quota, budget or yield)
├── TrainingError              exit 1: a finetuning came to nothing, here or at a service
└── LocalServerError           exit 1: a server of ours did not start or died
```

A message is one line: what is wrong, where, how to mend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from asyncgen.records import RateHint

__all__ = [
    "AsyncgenError",
    "BadAnswerError",
    "CacheError",
    "CorpusError",
    "DisconnectedError",
    "EndpointError",
    "EndpointRefusedError",
    "ExportError",
    "InputError",
    "LocalServerError",
    "MissingExtraError",
    "ModelFileError",
    "OverloadedError",
    "QuotaError",
    "RateLimitedError",
    "RequestRejectedError",
    "RunFolderError",
    "RunPausedError",
    "SeedError",
    "SettingsError",
    "TimedOutError",
    "TrainingError",
    "TransientError",
    "UnreachableError",
]


Phase = Literal["connect", "first_byte", "stalled", "total"]


class AsyncgenError(Exception):
    """Root of all errors that asyncgen raises on purpose.

    Attributes:
        exit_code: What the command line exits with when this error ends it.
    """

    exit_code = 1

    def __reduce__(self) -> tuple[object, ...]:
        # An exception's own way would call ``__init__`` with the finished message alone.
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(
    kind: type[AsyncgenError], args: tuple[object, ...], data: dict[str, object]
) -> AsyncgenError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(data)
    return error


class InputError(AsyncgenError):
    """Raised when what the user gave cannot be used."""

    exit_code = 2


class SettingsError(InputError):
    """Raised when a flag, a settings file or their combination is invalid."""


class SeedError(InputError):
    """Raised when a seed file is unreadable, malformed or too small."""

    def __init__(self, path: Path, problem: str, *, line: int | None = None) -> None:
        where = f"{path}:{line}" if line is not None else f"{path}"
        super().__init__(f"{where}: {problem}")
        self.path = path
        self.line = line
        self.problem = problem


class CorpusError(InputError):
    """Raised when a corpus cannot be read or written, or a row of it cannot be used.

    A row is named by its line, or by its place in a JSON array; both count from 1.
    """

    def __init__(
        self, file: str, problem: str, *, line: int | None = None, element: int | None = None
    ) -> None:
        at_line = f":{line}" if line is not None else ""
        at_element = f": element {element}" if element is not None else ""
        super().__init__(f"{file}{at_line}{at_element}: {problem}")
        self.file = file
        self.problem = problem
        self.line = line
        self.element = element


class RunFolderError(InputError):
    """Raised when a run folder cannot be used as it stands."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class CacheError(InputError):
    """Raised when a shared cache cannot be used as it stands."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}; choose another with --cache DIR, or --cache none")
        self.path = path
        self.problem = problem


class ExportError(InputError):
    """Raised when a dataset cannot be divided, written or pushed as it was asked for."""


class ModelFileError(InputError):
    """Raised when the embedded model's file is missing, damaged or cannot be fetched."""


class EndpointRefusedError(InputError):
    """Raised when an endpoint refuses for good: host, path, key, model or request is wrong."""


class MissingExtraError(InputError):
    """Raised when a feature needs an optional dependency that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional dependency: pip install 'asyncgen[{extra}]'")
        self.feature = feature
        self.extra = extra


class EndpointError(AsyncgenError):
    """Raised when one attempt at a request failed.

    Attributes:
        hints: What the endpoint said of its limits beside it.
    """

    hints: tuple[RateHint, ...] = ()


class TransientError(EndpointError):
    """Raised when a request failed in a way that is worth another attempt.

    Attributes:
        retry_after: Seconds that the server asked to wait, if it did.
        possibly_billed: Whether the provider may have charged for the lost answer.
    """

    def __init__(
        self, problem: str, *, retry_after: float | None = None, possibly_billed: bool = False
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.retry_after = retry_after
        self.possibly_billed = possibly_billed


class RateLimitedError(TransientError):
    """Raised when a request came too fast for the endpoint's limits, or for its growth.

    Attributes:
        too_steep: Whether the limits were kept and only the rate grew too fast.
    """

    def __init__(
        self, problem: str, *, retry_after: float | None = None, too_steep: bool = False
    ) -> None:
        super().__init__(problem, retry_after=retry_after)
        self.too_steep = too_steep


class OverloadedError(TransientError):
    """Raised when the provider as a whole has too much to do (503, 529)."""


class TimedOutError(TransientError):
    """Raised when an attempt took too long; but for a connection, it may have been billed.

    Attributes:
        phase: What took too long: "connect", "first_byte", "stalled" or "total".
    """

    def __init__(self, problem: str, *, phase: Phase) -> None:
        super().__init__(problem, possibly_billed=phase != "connect")
        self.phase = phase


class DisconnectedError(TransientError):
    """Raised when a connection broke on which a request was sent: it may have been billed."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, possibly_billed=True)


class BadAnswerError(TransientError):
    """Raised when HTTP 200 brought no answer: cut off, empty, not JSON, an error in disguise."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, possibly_billed=True)


class QuotaError(EndpointError):
    """Raised when an endpoint takes no more requests with this key for long.

    Attributes:
        resets_in: Seconds until a day's quota is whole again; ``None`` for credit that only its
            owner can renew.
    """

    def __init__(self, problem: str, *, resets_in: float | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.resets_in = resets_in


class UnreachableError(TransientError):
    """Raised when nothing answers at an endpoint's address.

    Before an endpoint's first answer that is a mistake in its address, later an outage.
    """


class RequestRejectedError(EndpointError):
    """Raised when this one request will never be answered, though others may be."""


class RunPausedError(AsyncgenError):
    """Raised when a run stops early and can be resumed.

    Attributes:
        go_on_with: Flags without which the next session would come no further.
    """

    exit_code = 3

    def __init__(self, problem: str, *, go_on_with: tuple[str, ...] = ()) -> None:
        super().__init__(problem)
        self.go_on_with = go_on_with


class TrainingError(AsyncgenError):
    """Raised when a finetuning came to nothing, on this machine or at a service."""


class LocalServerError(AsyncgenError):
    """Raised when a server of ours did not become ready, or died.

    That is the embedded model's or the simulated provider's.
    """
