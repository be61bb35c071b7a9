"""A folder that holds a journal, and the settings that its answers belong to."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asyncgen.errors import RunFolderError
from asyncgen.settings import LOWERABLE

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["JournalFolder"]


@dataclass(frozen=True, slots=True)
class JournalFolder:
    """Where the files of one piece of asking are."""

    path: Path

    kind: ClassVar[str] = "folder"
    """What messages call it."""

    @property
    def settings(self) -> Path:
        """What was asked for, frozen at the start."""
        return self.path / "settings.toml"

    @property
    def journal(self) -> Path:
        """Every answer."""
        return self.path / "journal.db"

    @property
    def server_log(self) -> Path:
        """What the embedded model's server said."""
        return self.path / "server.log"

    def make(self) -> None:
        """Make the folder unless it exists.

        Raises:
            RunFolderError: If it cannot be made or written to, or holds something else.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunFolderError(
                self.path, f"cannot be made ({error.strerror}); choose another {self.kind}"
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
                f"not a {self.kind}, and not empty (it holds {strangers[0]}); choose another",
            )

    def sweep(self) -> None:
        """Remove what killed sessions left half written; the caller holds the folder."""
        for path in self.written():
            for partial in self.path.glob(f".{path.name}.*.partial"):
                with contextlib.suppress(OSError):
                    partial.unlink()

    def written(self) -> tuple[Path, ...]:
        """Return the files that appear whole or not at all."""
        return (self.settings,)

    def check_complete(self) -> None:
        """Refuse settings whose journal is gone: all would be asked anew.

        Raises:
            RunFolderError: If it is.
        """
        if self.settings.is_file() and (
            not self.journal.exists() or self.journal.stat().st_size == 0
        ):
            raise RunFolderError(
                self.path,
                "journal.db is missing or empty, which held every answer: put it back, "
                f"or choose another {self.kind}",
            )

    def check_belongs(self, *, has_answers: bool) -> None:
        """Refuse answers without the settings that they belong to.

        The journal is there before the settings: it is empty then, and where there are settings
        but no journal it was lost.

        Raises:
            RunFolderError: If there are answers and no settings.
        """
        if has_answers and not self.settings.is_file():
            raise RunFolderError(
                self.path,
                "settings.toml is missing, which the answers in journal.db belong to: put it "
                f"back, or choose another {self.kind}",
            )

    def refuse_differences(self, found: list[str]) -> None:
        """Refuse settings that are not those of the beginning.

        Args:
            found: How they differ, each as ``name: frozen → wanted``.

        Raises:
            RunFolderError: If they do; naming the first difference.
        """
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            what = self.kind.removesuffix(" folder")
            lower = " or a lower one" if found[0].partition(":")[0] in LOWERABLE else ""
            raise RunFolderError(
                self.path,
                f"a {what} of other settings, {found[0]}{more}; give the same again{lower}, "
                f"or choose another {self.kind}",
            )

    def write(self, path: Path, content: bytes) -> None:
        """Write a file of the folder, whole or not at all.

        Raises:
            RunFolderError: If that cannot be done.
        """
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
