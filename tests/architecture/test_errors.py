"""Every error is one line with its data, survives a process border and has an exit code."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from asyncgen import errors

CLASSES: list[type[errors.AsyncgenError]] = [getattr(errors, name) for name in errors.__all__]
NAMES = [kind.__name__ for kind in CLASSES]

_OWN_ARGUMENTS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "SeedError": ((Path("seeds.jsonl"), "not JSON"), {"line": 7}),
    "CorpusError": (("corpus.jsonl", "not JSON"), {"line": 7}),
    "RunFolderError": ((Path("runs/demo"), "in use"), {}),
    "CacheError": ((Path("cache/answers.db"), "damaged"), {}),
    "MissingExtraError": (("the embedded model", "local"), {}),
    "TransientError": (("busy",), {"retry_after": 1.5, "possibly_billed": True}),
    "UnreachableError": (("refused",), {"retry_after": 1.5}),
    "RateLimitedError": (("slow down",), {"retry_after": 1.5, "too_steep": True}),
    "TimedOutError": (("no answer",), {"phase": "stalled"}),
    "QuotaError": (("no quota",), {"resets_in": 3600.0}),
}
_EXIT_CODES = {
    "AsyncgenError": 1,
    "EndpointError": 1,
    "TransientError": 1,
    "UnreachableError": 1,
    "RateLimitedError": 1,
    "OverloadedError": 1,
    "TimedOutError": 1,
    "DisconnectedError": 1,
    "BadAnswerError": 1,
    "QuotaError": 1,
    "RequestRejectedError": 1,
    "LocalServerError": 1,
    "TrainingError": 1,
    "RunPausedError": 3,
}
"""All others are the user's to mend: 2."""


def made(kind: type[errors.AsyncgenError]) -> errors.AsyncgenError:
    arguments, named = _OWN_ARGUMENTS.get(kind.__name__, (("what is wrong",), {}))
    return kind(*arguments, **named)


def test_all_errors_are_listed() -> None:
    found = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }

    assert found == set(errors.__all__)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn: list[tuple[str, str]] = []
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^((?:[│ ]   )*)(?:[├└]── )?([A-Z]\w+Error)\b", line)
        if match:
            depth = len(match[1]) // 4 + ("── " in line)
            path = [*path[:depth], match[2]]
            drawn.append((match[2], path[-2] if depth else "Exception"))

    assert sorted(drawn) == sorted((kind.__name__, kind.__bases__[0].__name__) for kind in CLASSES)


@pytest.mark.parametrize("kind", CLASSES, ids=NAMES)
def test_the_exit_code_is_the_documented_one(kind: type[errors.AsyncgenError]) -> None:
    assert made(kind).exit_code == _EXIT_CODES.get(kind.__name__, 2)


@pytest.mark.parametrize("kind", CLASSES, ids=NAMES)
def test_it_survives_a_process_border_with_its_data(kind: type[errors.AsyncgenError]) -> None:
    error = made(kind)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own
        assert type(again) is kind
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_messages_are_built_from_the_data() -> None:
    said = {name: str(made(getattr(errors, name))) for name in _OWN_ARGUMENTS}

    assert said["SeedError"] == "seeds.jsonl:7: not JSON"
    assert said["CorpusError"] == "corpus.jsonl:7: not JSON"
    assert said["RunFolderError"] == "runs/demo: in use"
    assert said["MissingExtraError"] == (
        "the embedded model needs an optional dependency: pip install 'asyncgen[local]'"
    )
    assert str(errors.SeedError(Path("s"), "empty")) == "s: empty"
    assert str(errors.CorpusError("c", "not JSON", element=3)) == "c: element 3: not JSON"
    assert str(errors.CorpusError("c", "empty")) == "c: empty"
