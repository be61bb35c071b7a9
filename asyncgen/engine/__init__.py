"""Keeps requests in flight under limits, and knows nothing of instructions."""

from asyncgen.engine.engine import Engine, EngineOptions, EngineSnapshot, Source
from asyncgen.engine.lane import Lane
from asyncgen.engine.limits import RateLimits
from asyncgen.engine.retry import RetryPolicy

__all__ = [
    "Engine",
    "EngineOptions",
    "EngineSnapshot",
    "Lane",
    "RateLimits",
    "RetryPolicy",
    "Source",
]
