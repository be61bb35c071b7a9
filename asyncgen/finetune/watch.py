"""Whoever follows a finetuning while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncgen.finetune.tuning import Step

__all__ = ["Watch"]


class Watch:
    """Follows a finetuning and says nothing; to be overridden."""

    def say(self, message: str) -> None:
        """Take in what is going on."""

    def fetched(self, done: int, total: int) -> None:
        """Take in how many bytes of a model were fetched."""

    def stepped(self, step: Step, steps: int) -> None:
        """Take in an update of the weights, of how many."""

    def stopped(self) -> bool:
        """Whether to stop after the update that is being made."""
        return False
