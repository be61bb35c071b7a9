"""Standard error as rich writes to it."""

from __future__ import annotations

from rich.console import Console

from asyncgen.cli.listeners import let_go

__all__ = ["ErrorConsole"]


class ErrorConsole(Console):
    """A console on standard error that ends nothing when its reader has left."""

    def __init__(self) -> None:
        super().__init__(stderr=True)

    def on_broken_pipe(self) -> None:
        """Print nowhere; rich would exit."""
        let_go()
