"""A folder that is replaced as a whole, or not at all."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from asyncgen.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["replace_folder"]

_HERE = -100 if sys.platform == "linux" else -2  # AT_FDCWD
_SWAP = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
_IMPOSSIBLE = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EXDEV})


def replace_folder(path: Path, files: Mapping[str, bytes], ours: Callable[[str], bool]) -> None:
    """Write a folder of these files.

    Until all of them are on the disk the old folder stays, and then the two
    change places in one step, where the file system knows how: a reader, or a
    crash, finds the old one or the new one.

    Args:
        path: The folder.
        files: What is in it, by relative path.
        ours: Says of a relative path whether an earlier export may have written it: a folder
            that holds anything else is left alone.

    Raises:
        ExportError: If it cannot be written, or what is there is not ours.
    """
    path = path.resolve()
    _check(path, ours)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for name, content in files.items():
            _write(partial / name, content)
        _put(partial, path)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check(path: Path, ours: Callable[[str], bool]) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise ExportError(f"{path}: is a file, and this format is a folder; choose another --out")
    stranger = next((name for name in _files_in(path) if not ours(name)), None)
    if stranger is not None:
        raise ExportError(f"{path}: holds {stranger}, which no export wrote; choose another --out")


def _files_in(path: Path) -> Iterator[str]:
    """Yield the relative paths of all files, those at the top first."""
    for folder, below, names in os.walk(path):
        below.sort()
        links = [name for name in below if (Path(folder) / name).is_symlink()]
        for name in sorted(names + links):
            yield (Path(folder) / name).relative_to(path).as_posix()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _put(new: Path, path: Path) -> None:
    """Put a finished folder in its place; what was there is then where the new one was."""
    if not path.exists():
        new.rename(path)
        return
    try:
        _exchange(new, path)
    except OSError as error:
        if error.errno not in _IMPOSSIBLE:
            raise
        _exchange_in_steps(new, path)


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change names in one step, which Python has no call for.

    Raises:
        OSError: If the system or the file system cannot, among others.
    """
    library = ctypes.CDLL(None, use_errno=True)
    call = getattr(library, "renameat2" if sys.platform == "linux" else "renameatx_np", None)
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), ctypes.c_uint(_SWAP)):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _exchange_in_steps(new: Path, path: Path) -> None:
    """Do it in three steps: a crash between them leaves the old folder under another name."""
    aside = new.with_suffix(".old")
    path.rename(aside)
    try:
        new.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.rename(path)
        raise
    aside.rename(new)
