"""The header of a GGUF file: enough to name the model and to see that nothing is missing.

Layout (little-endian): magic, version u32, tensor count u64, metadata count u64, the metadata,
one record per tensor, padding, the tensors' data.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

from asyncgen.errors import ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BLOCKS", "GgufHeader", "Tensor", "aligned", "read_header"]

_STRING, _ARRAY = 8, 9
# struct codes of the scalar metadata types.
_SCALARS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"
}  # fmt: skip
# Tensor type: (elements per block, bytes per block).
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4),
    27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66),
    39: (32, 17),
}  # fmt: skip
_MAX_STRING = 1 << 28  # bytes; a longer one means that we are reading garbage
_Scalar = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's record.

    Attributes:
        name: Its name.
        shape: Elements along each dimension.
        kind: The number of its type, see `BLOCKS`.
        offset: Bytes from the start of all data to the start of this tensor's.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def data_bytes(self) -> int:
        """Size of the data; 0 for a type we do not know."""
        elements, size = BLOCKS.get(self.kind, (1, 0))
        return prod(self.shape) // elements * size


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says about itself.

    Attributes:
        metadata: The scalar entries; arrays (the vocabulary, mostly) are left out.
        positions: Where the scalar entries' values stand, in bytes from the start of the file.
        tensors: The tensors' records.
        metadata_end: Where the metadata end and the records begin.
        data_start: Where the tensors' data begin.
    """

    metadata: dict[str, _Scalar]
    positions: dict[str, int]
    tensors: tuple[Tensor, ...]
    metadata_end: int
    data_start: int

    @property
    def needed_bytes(self) -> int:
        """Size that the file must have at least to hold all its tensors."""
        ends = (tensor.offset + tensor.data_bytes for tensor in self.tensors)
        return self.data_start + max(ends, default=0)

    @property
    def alignment(self) -> int:
        """Every tensor's data begin at a multiple of this many bytes."""
        value = self.metadata.get("general.alignment", 32)
        return value if isinstance(value, int) and value > 0 else 32

    @property
    def architecture(self) -> str:
        """The family of the model, e.g. `llama`; empty if not given."""
        return str(self.metadata.get("general.architecture", ""))

    def number(self, key: str, default: int) -> int:
        """Return an integer entry of the architecture, e.g. `context_length`."""
        value = self.metadata.get(f"{self.architecture}.{key}", default)
        return value if isinstance(value, int) else default


class _DamagedError(ValueError):
    """Raised when the bytes do not make a header."""


def read_header(path: Path) -> GgufHeader:
    """Read a GGUF file's header and check that the file is all there.

    Raises:
        ModelFileError: No such file, not a GGUF, or truncated.
    """
    try:
        with path.open("rb") as file:
            header = _read(file)
            file.seek(0, 2)
            size = file.tell()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror}") from error
    except (_DamagedError, UnicodeDecodeError) as error:
        raise ModelFileError(f"{path}: not a usable GGUF file: {error}") from error
    if size < header.needed_bytes:
        raise ModelFileError(
            f"{path}: truncated: {size:,} of {header.needed_bytes:,} bytes; fetch it again"
        )
    return header


def aligned(position: int, alignment: int) -> int:
    """Return the first multiple of the alignment that is not below the position."""
    return -(-position // alignment) * alignment


def _read(file: BinaryIO) -> GgufHeader:
    if file.read(4) != b"GGUF":
        raise _DamagedError("it does not begin with 'GGUF'")
    version, tensor_count, entries = _unpack(file, "IQQ")
    if version not in {2, 3}:
        raise _DamagedError(f"version {version} is not known")
    metadata: dict[str, _Scalar] = {}
    positions: dict[str, int] = {}
    for _ in range(entries):
        key = _string(file)
        (kind,) = _unpack(file, "I")
        position = file.tell()
        value = _value(file, kind)
        if value is not None:
            metadata[key] = value
            positions[key] = position
    metadata_end = file.tell()
    tensors = tuple(_tensor(file) for _ in range(tensor_count))
    header = GgufHeader(metadata, positions, tensors, metadata_end, 0)
    return replace(header, data_start=aligned(file.tell(), header.alignment))


def _tensor(file: BinaryIO) -> Tensor:
    name = _string(file)
    (dimensions,) = _unpack(file, "I")
    if dimensions > 8:
        raise _DamagedError(f"tensor {name!r} has {dimensions} dimensions")
    shape = _unpack(file, "Q" * dimensions)
    kind, offset = _unpack(file, "IQ")
    return Tensor(name, shape, kind, offset)


def _value(file: BinaryIO, kind: int) -> _Scalar | None:
    """Read one metadata value; None for an array, which is skipped."""
    if kind == _STRING:
        return _string(file)
    if kind in _SCALARS:
        value: _Scalar = _unpack(file, _SCALARS[kind])[0]
        return value
    if kind != _ARRAY:
        raise _DamagedError(f"metadata type {kind} is not known")
    item, count = _unpack(file, "IQ")
    if item in _SCALARS:
        file.seek(count * struct.calcsize(_SCALARS[item]), 1)
        return None
    for _ in range(count):
        _value(file, item)
    return None


def _string(file: BinaryIO) -> str:
    (length,) = _unpack(file, "Q")
    if length > _MAX_STRING:
        raise _DamagedError("a text in the header is longer than any text would be")
    return _exactly(file, length).decode("utf-8", errors="replace")


def _unpack(file: BinaryIO, codes: str) -> tuple[Any, ...]:
    layout = struct.Struct(f"<{codes}")
    return layout.unpack(_exactly(file, layout.size))


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise _DamagedError("it ends inside its header")
    return data
