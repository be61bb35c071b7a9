"""Keeps requests in flight under limits, and knows nothing of instructions."""

from asyncgen.engine.engine import Engine, EngineOptions
from asyncgen.engine.intake import Memory, Source
from asyncgen.engine.lane import Lane
from asyncgen.engine.limits import Limits
from asyncgen.engine.retry import RetryPolicy
from asyncgen.engine.snapshot import Adjustment, EngineSnapshot, LaneSnapshot, LimitSnapshot

__all__ = [
    "Adjustment",
    "Engine",
    "EngineOptions",
    "EngineSnapshot",
    "Lane",
    "LaneSnapshot",
    "LimitSnapshot",
    "Limits",
    "Memory",
    "RetryPolicy",
    "Source",
]
