"""The command line: parses, calls, prints. Start-up is lazy: heavy imports stand in commands."""

from asyncgen.cli.app import main

__all__ = ["main"]
