"""Real data where it is: SuperNI tasks, the paper's tasks and its models' answers to them."""

from __future__ import annotations

from seeds.material import PAPER

__all__ = ["PREDICTIONS", "SUPERNI", "USER_TASKS"]

SUPERNI = PAPER / "superni"
USER_TASKS = PAPER / "user_oriented_instructions.jsonl"
PREDICTIONS = [
    PAPER / "predictions" / f"{name}_predictions.jsonl"
    for name in ("davinci", "davinci-self-instruct")
]
