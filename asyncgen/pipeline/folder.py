"""The run folder: where its files are, and the settings frozen in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asyncgen.errors import RunFolderError
from asyncgen.settings import Settings, differences, read_toml, resolve, to_toml
from asyncgen.survey.folder import JournalFolder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["RunFolder"]

_OF_PROCESSES = frozenset({"run.lock", "control.sock"})
"""What is there while one is at work."""


@dataclass(frozen=True, slots=True)
class RunFolder(JournalFolder):
    """A folder that holds one run."""

    kind: ClassVar[str] = "run folder"

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

    def written(self) -> tuple[Path, ...]:
        """Return the files that appear whole or not at all."""
        return (self.settings, self.seeds, self.dataset, self.rejected)

    def owns(self, name: str) -> bool:
        """Return whether a file of this name in the folder is the run's own."""
        ours = {path.name for path in (*self.written(), self.server_log)}
        return name in ours | _OF_PROCESSES or name.startswith(self.journal.name)

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
        self.write(self.settings, to_toml(wanted).encode())

    def keep_seeds(self, content: bytes) -> None:
        """Write the seed tasks down, so that the folder holds all that the run follows from.

        Raises:
            RunFolderError: If that cannot be done.
        """
        self.write(self.seeds, content)

    def compare(self, wanted: Settings) -> None:
        """Hold settings against those that the run began with, if there is one.

        Raises:
            RunFolderError: If they contradict; naming the first difference.
        """
        if self.settings.is_file():
            self.refuse_differences(differences(self.read_settings(), wanted))
