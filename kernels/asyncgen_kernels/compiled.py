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
    return _kept(function)


def compiled_reader(function: _Function) -> _Function:
    """A kernel that allocates nothing: see `reader`."""
    return _kept(function, _nrt=False)


def _kept(function: _Function, **options: Any) -> _Function:
    try:
        kernel: Any = njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # no folder at all may be written to: compiled anew in each process
        return cast("_Function", njit(nogil=True, **options)(function))

    # Numba has no public way to say what else a kernel was made of; a test would notice if this
    # private one went.
    kernel._cache._cache_file._source_stamp = _stamp()  # noqa: SLF001
    return cast("_Function", kernel)


def was_loaded(kernel: object) -> bool:
    """Whether a kernel that has been called came from the cache."""
    return bool(cast("Any", kernel).stats.cache_hits)


def is_kept(kernel: object) -> bool:
    """Whether a kernel, once compiled, is there for other processes: not where no folder is."""
    return cast("Any", kernel).stats.cache_path is not None


def part(function: _Function) -> _Function:
    """A piece of kernels, for them alone to call: never kept by itself, so compiled faster.

    Called from Python it would crash, since what converts its arguments is left out.
    """
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("_Function", njit(nogil=True, **options)(function))


def reader(function: _Function) -> _Function:
    """A part that allocates nothing, and so need not count references to arrays.

    Numba counts them at every call, atomically, for each array of each tuple: in functions that
    are called for a microsecond's work that is most of the work.
    """
    return _uncounted(function)


def fused(function: _Function) -> _Function:
    """A reader that LLVM makes part of its callers, however large it is.

    A call hands over every array of every tuple, seven words each: a hundred and more for a
    query and what it searches. For what is called once a microsecond or oftener; all else would
    only take longer to compile.
    """
    return _uncounted(function, forceinline=True)


def _uncounted(function: _Function, **more: bool) -> _Function:
    options: dict[str, Any] = {
        "no_cpython_wrapper": True,
        "no_cfunc_wrapper": True,
        "_nrt": False,
        **more,
    }
    return cast("_Function", njit(nogil=True, **options)(function))


def in_python(kernel: _Function) -> _Function:
    """What a part was made of: Python does the same, only slower."""
    return cast("_Function", cast("Any", kernel).py_func)


def inlined(function: _Function) -> _Function:
    """A part that Numba copies into its callers, where LLVM left to itself would not."""
    return cast("_Function", njit(nogil=True, inline="always")(function))


@functools.cache
def _stamp() -> bytes:
    """A digest of all the package's sources."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())

    return digest.digest()
