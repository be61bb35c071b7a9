"""The folder of a finetuning: its settings, frozen at the start, and what is written into it."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec
import orjson

from asyncgen.corpus.sink import Sink
from asyncgen.errors import CorpusError, RunFolderError, SettingsError
from asyncgen.settings import read_toml

if TYPE_CHECKING:
    from collections.abc import Collection, Generator
    from pathlib import Path

    from msgspec import Struct

__all__ = ["JobFolder"]

_Wanted = TypeVar("_Wanted", bound="Struct")


@dataclass(frozen=True, slots=True)
class JobFolder(Generic[_Wanted]):
    """A folder that holds one job.

    Attributes:
        path: The folder.
        kind: What its settings are.
        name: What the file of its settings is called; no other job's has this name.
    """

    path: Path
    kind: type[_Wanted]
    name: str

    def make(self) -> None:
        """Make the folder unless it exists.

        Raises:
            RunFolderError: If it cannot be made, or holds something else.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            names = sorted(entry.name for entry in self.path.iterdir())
        except OSError as error:
            raise RunFolderError(
                self.path, f"cannot be made ({error.strerror}); choose another --out"
            ) from error
        strangers = [name for name in names if name != "run.lock" and not name.endswith(".partial")]
        if strangers and self.name not in names:
            raise RunFolderError(
                self.path, f"not empty (it holds {strangers[0]}); choose another --out"
            )

    def freeze(self, wanted: _Wanted, passing_over: Collection[str]) -> None:
        """Write the settings, or hold them against those that the job began with.

        Args:
            wanted: What is asked for now.
            passing_over: What may change between sessions.

        Raises:
            RunFolderError: If they contradict; naming the first difference.
        """
        begun = self._begun()
        for field in self.kind.__struct_fields__ if begun is not None else ():
            was, now = getattr(begun, field), getattr(wanted, field)
            if was != now and field not in passing_over:
                raise RunFolderError(
                    self.path,
                    f"begun with other settings, {field}: {_said(was)} → {_said(now)}; give the "
                    "same again, or choose another --out",
                )
        self.write(self.name, _as_toml(wanted))

    def _begun(self) -> _Wanted | None:
        path = self.path / self.name
        if not path.is_file():
            return None
        try:
            return msgspec.convert(read_toml(path), self.kind)
        except (SettingsError, msgspec.ValidationError) as error:
            raise RunFolderError(self.path, f"{self.name} was damaged ({error})") from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all.

        Raises:
            RunFolderError: If it cannot be written.
        """
        try:
            with Sink(self.path / name) as sink:
                sink.write(content)
                sink.finish()
                sink.commit()
        except CorpusError as error:
            raise RunFolderError(self.path / name, error.problem) from error

    def write_json(self, name: str, value: Struct) -> None:
        """Write a value as JSON, whole or not at all.

        Raises:
            RunFolderError: If it cannot be written.
        """
        self.write(name, orjson.dumps(msgspec.to_builtins(value), option=orjson.OPT_INDENT_2))

    @contextlib.contextmanager
    def replacing(self, name: str) -> Generator[Path]:
        """Yield where to write a file or a folder; it takes its place when the block ends well."""
        partial = self.path / f".{name}.partial"
        yield partial
        target = self.path / name
        if target.is_dir():
            shutil.rmtree(target)
        partial.replace(target)

    def sweep(self) -> None:
        """Remove what killed sessions left half written; the caller holds the folder."""
        for left in self.path.glob(".*.partial"):
            with contextlib.suppress(OSError):
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _said(value: object) -> str:
    return "nothing" if value is None else repr(value)


def _as_toml(value: Struct) -> bytes:
    import tomli_w

    plain = msgspec.structs.asdict(value)
    return tomli_w.dumps({name: one for name, one in plain.items() if one is not None}).encode()
