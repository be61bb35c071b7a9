"""What each recipe brings with it, for any model and for the embedded one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncgen.settings.values import RecipeName

__all__ = ["EMBEDDED_RECIPES", "RECIPES"]

RECIPES: dict[RecipeName, dict[str, Any]] = {
    "self-instruct": {},
    "alpaca": {
        "demonstrations": 3,
        "machine_demonstrations": 0,
        "tasks_per_request": 12,
        "generation": {"max_output_tokens": 3072, "temperature": 1.0},
    },
    "evol": {
        "demonstrations": 1,
        "machine_demonstrations": 1,
        "tasks_per_request": 1,
        "generation": {"max_output_tokens": 256, "temperature": 0.7},
    },
    "backtranslate": {
        "demonstrations": 5,
        "machine_demonstrations": 0,
        "tasks_per_request": 1,
        "generation": {"max_output_tokens": 128, "temperature": 0.0},
    },
}
"""Demonstrations are seeds with an instance, the task that is rewritten, or texts."""

EMBEDDED_RECIPES: dict[RecipeName, dict[str, Any]] = {
    "self-instruct": {},
    "alpaca": {
        "tasks_per_request": 3,
        "generation": {"max_output_tokens": 384, "temperature": 0.3},
    },
    "evol": {"generation": {"max_output_tokens": 96, "temperature": 0.5}},
    "backtranslate": {"generation": {"max_output_tokens": 64, "temperature": 0.0}},
}
"""What suits a very small model; measured in ``benchmarks/LOG.md``."""
