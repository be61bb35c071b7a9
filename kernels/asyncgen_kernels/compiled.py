"""How kernels are compiled and where the result is kept.

Numba keeps compiled code in `__pycache__` beside the source, in the user's cache folder where
the package is read-only, or where NUMBA_CACHE_DIR says. It discards what it kept when the file
of a kernel changes, but not when a kernel of another file that was compiled into it does; here
any change in this package discards all of it.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

_Function = TypeVar("_Function", bound="Callable[..., object]")


def compiled(function: _Function) -> _Function:
    """Make it a kernel: compiled at its first call, kept on disk, running without the GIL."""
    return cast("_Function", _kept(function))


def inlined(function: _Function) -> _Function:
    """A kernel copied into its callers by Numba; LLVM left to itself does not: half the speed."""
    return cast("_Function", _kept(function, inline="always"))


def _kept(function: Callable[..., object], **options: Any) -> Any:
    try:
        kernel: Any = njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # no folder at all may be written to: compiled anew in each process
        return njit(nogil=True, **options)(function)

    # Numba has no public way to say what else a kernel was made of; a test would notice if this
    # private one went.
    kernel._cache._cache_file._source_stamp = _stamp()  # noqa: SLF001
    return kernel


@functools.cache
def _stamp() -> bytes:
    """A digest of all the package's sources."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())

    return digest.digest()
