"""Zstandard by the standard library's interface: its own from 3.14, its backport before."""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["ZstdError", "ZstdFile"]

ZstdError = zstd.ZstdError
ZstdFile = zstd.ZstdFile
