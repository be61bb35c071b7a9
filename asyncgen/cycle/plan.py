"""What a cycle is told: who writes, who is trained, and by what it is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from asyncgen.errors import SettingsError
from asyncgen.settings import EMBEDDED, read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Plan", "read_plan"]


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file for ``--config`` of ``asyncgen cycle``, frozen in its folder.

    Attributes:
        rounds: How often data are written and a model is trained on them. From the second on
            the tuned model writes, and nothing that resembles earlier data.
        superni: Folder of SuperNI tasks; none are asked if it is empty.
        tasks: File of everyday tasks in the original's form; our own if it is empty.
        generate: Settings of the runs, as in a file for ``--config`` of ``generate``.
        finetune: Flags of ``asyncgen finetune``, with underscores.
        evaluate: Flags of ``asyncgen evaluate``, with underscores, beside ``instances``,
            ``examples`` (SuperNI's alone), ``max_output_tokens``.
    """

    rounds: int = 1
    superni: str = ""
    tasks: str = ""
    generate: dict[str, Any] = {}
    finetune: dict[str, Any] = {}
    evaluate: dict[str, Any] = {}

    @property
    def is_local(self) -> bool:
        """Whether the model is finetuned and served on this machine, and not by a service."""
        return self.endpoints == [EMBEDDED]

    @property
    def endpoints(self) -> list[str]:
        """Whom the runs ask."""
        given = self.generate.get("endpoint", [])
        return [given] if isinstance(given, str) else list(given)


def read_plan(path: Path | None, given: Mapping[str, Any], writer: Mapping[str, Any]) -> Plan:
    """Merge a file and flags.

    Args:
        path: The file, if one is given.
        given: Flags of the cycle; ``None`` where one was not given.
        writer: Flags that are settings of the runs, likewise.

    Raises:
        SettingsError: If the file cannot be read, a name is unknown, or a value makes no sense.
    """
    said = {} if path is None else read_toml(path)
    said |= {name: value for name, value in given.items() if value is not None}
    chosen = {name: value for name, value in writer.items() if value is not None}
    generate = said.get("generate", {})
    if not isinstance(generate, dict):
        raise SettingsError(f"{path}: generate: expected a table")
    try:
        plan = msgspec.convert({**said, "generate": {**generate, **chosen}}, Plan)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path or 'cycle'}: {error}") from error
    _check(plan)
    return plan


def _check(plan: Plan) -> None:
    if plan.rounds < 1:
        raise SettingsError(f"--rounds {plan.rounds}: must be at least 1")
    if plan.is_local:
        return
    if len(plan.endpoints) != 1 or not isinstance(plan.generate.get("model"), str):
        raise SettingsError(
            "a cycle needs --endpoint local, or the one --endpoint of a service and the --model "
            "that writes there and is finetuned there"
        )
