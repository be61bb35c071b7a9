"""The run folder: where its files are, and the settings frozen in it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.errors import RunFolderError
from asyncgen.settings import LOWERABLE, Settings, differences, read_toml, resolve, to_toml

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["RunFolder"]

_OF_PROCESSES = frozenset({"run.lock", "control.sock"})
"""What is there while one is at work."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder that holds one run."""

    path: Path

    @property
    def settings(self) -> Path:
        """What was asked for, frozen at the start."""
        return self.path / "settings.toml"

    @property
    def journal(self) -> Path:
        """Every answer."""
        return self.path / "journal.db"

    @property
    def seeds(self) -> Path:
        """The seed tasks as they were when the run began."""
        return self.path / "seeds.jsonl"

    @property
    def dataset(self) -> Path:
        """The finished tasks."""
        return self.path / "dataset.jsonl"

    @property
    def rejected(self) -> Path:
        """What was dropped, and why."""
        return self.path / "rejected.jsonl"

    @property
    def server_log(self) -> Path:
        """What the embedded model's server said."""
        return self.path / "server.log"

    def owns(self, name: str) -> bool:
        """Return whether a file of this name in the folder is the run's own."""
        ours = (self.settings, self.seeds, self.dataset, self.rejected, self.server_log)
        return name in {path.name for path in ours} | _OF_PROCESSES or name.startswith(
            self.journal.name
        )

    def make(self) -> None:
        """Make the folder unless it exists.

        Raises:
            RunFolderError: If it cannot be made or written to, or holds something else.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunFolderError(
                self.path, f"cannot be made ({error.strerror}); choose another run folder"
            ) from error
        if self.settings.exists():
            return
        # The lock, a journal without an answer and settings half written a crash may have left.
        strangers = sorted(
            entry.name
            for entry in self.path.iterdir()
            if entry.name != "run.lock"
            and not entry.name.startswith(self.journal.name)
            and not entry.name.endswith(".partial")
        )
        if strangers:
            raise RunFolderError(
                self.path,
                f"not a run folder, and not empty (it holds {strangers[0]}); choose another",
            )

    def sweep(self) -> None:
        """Remove what killed sessions left half written; the caller holds the folder."""
        for path in (self.settings, self.seeds, self.dataset, self.rejected):
            for partial in self.path.glob(f".{path.name}.*.partial"):
                with contextlib.suppress(OSError):
                    partial.unlink()

    def read_settings(self) -> Settings:
        """Return the frozen settings.

        Raises:
            RunFolderError: If there is no run here.
            SettingsError: If they were damaged.
        """
        if not self.settings.is_file():
            raise RunFolderError(self.path, "no run here: settings.toml is missing")
        return resolve(read_toml(self.settings), {}, source=str(self.settings))

    def freeze(self, wanted: Settings) -> None:
        """Write the settings, or hold them against those that the run began with.

        What may change between sessions is written anew each time.

        Raises:
            RunFolderError: If they contradict; naming the first difference.
        """
        self.compare(wanted)
        self._write(self.settings, to_toml(wanted).encode())

    def keep_seeds(self, content: bytes) -> None:
        """Write the seed tasks down, so that the folder holds all that the run follows from.

        Raises:
            RunFolderError: If that cannot be done.
        """
        self._write(self.seeds, content)

    def check_complete(self) -> None:
        """Refuse a run that has begun and whose journal is gone: it would begin anew.

        Raises:
            RunFolderError: If it is.
        """
        if self.settings.is_file() and (
            not self.journal.exists() or self.journal.stat().st_size == 0
        ):
            raise RunFolderError(
                self.path,
                "journal.db is missing or empty, which held every answer: put it back, "
                "or choose another run folder",
            )

    def compare(self, wanted: Settings) -> None:
        """Hold settings against those that the run began with, if there is one.

        Raises:
            RunFolderError: If they contradict; naming the first difference.
        """
        if not self.settings.is_file():
            return
        found = differences(self.read_settings(), wanted)
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            lower = " or a lower one" if found[0].partition(":")[0] in LOWERABLE else ""
            raise RunFolderError(
                self.path,
                f"a run of other settings, {found[0]}{more}; give the same again{lower}, "
                "or choose another run folder",
            )

    def _write(self, path: Path, content: bytes) -> None:
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            with partial.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise RunFolderError(self.path, f"not writable ({error.strerror})") from error
