"""Rewrite a GGUF file so that OpenVINO reads it without loss.

OpenVINO rounds the minimum of each block of Q4_1 weights to a whole number of steps.  For
SmolLM2-135M that costs 0.34 nats a token: perplexity 14.0 in place of 9.9, llama.cpp's value
on the same file.  As Q8_0 the weights come through, at the same speed (benchmarks/LOG.md).
The formats of the K family with a minimum suffer alike and are left to llama.cpp.
"""

from __future__ import annotations

import hashlib
import struct
import tempfile
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from asyncgen.endpoints.embedded.gguf import BLOCKS, aligned, read_header
from asyncgen.errors import ModelFileError

if TYPE_CHECKING:
    from asyncgen.endpoints.embedded.gguf import GgufHeader, Tensor

__all__ = ["lossless_for_openvino", "q8_0_from_q4_1"]

_F32, _F16, _Q4_0, _Q4_1, _Q8_0, _Q6_K = 0, 1, 2, 3, 8, 14
_LOSSLESS = frozenset({_F32, _F16, _Q4_0, _Q8_0, _Q6_K})
_MOSTLY_Q8_0 = 7  # value of general.file_type
_CHUNK_BLOCKS = 1 << 16  # blocks converted at a time, 8 MB as floats
_Bytes = npt.NDArray[np.uint8]


def lossless_for_openvino(path: Path, header: GgufHeader, folder: Path) -> Path:
    """Return the file itself or a rewritten copy of it, made once and kept.

    Args:
        path: The GGUF file.
        header: Its header.
        folder: Where rewritten copies are kept.

    Raises:
        ModelFileError: The file holds other lossy formats, or the copy cannot be written.
    """
    kinds = {tensor.kind for tensor in header.tensors}
    if kinds <= _LOSSLESS:
        return path
    if not kinds <= _LOSSLESS | {_Q4_1}:
        raise ModelFileError(f"{path}: OpenVINO would read some of its weights with a loss")
    try:
        target = folder / f"{path.stem}-{_identity(path)}.gguf"
        if not _is_whole(target):
            _write_copy(path, header, target)
    except OSError as error:
        raise ModelFileError(
            f"cannot store the converted model: {error.filename or folder}: {error.strerror}; "
            "choose another folder with ASYNCGEN_CACHE"
        ) from error
    return target


def _is_whole(path: Path) -> bool:
    try:
        read_header(path)
    except ModelFileError:
        return False
    return True


def _identity(path: Path) -> str:
    """Return a short name for this very content, without reading it."""
    status = path.stat()
    identity = f"{path.absolute()}\0{status.st_size}\0{status.st_mtime_ns}"
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def _write_copy(path: Path, header: GgufHeader, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="convert-") as folder:
        part = Path(folder) / target.name
        with path.open("rb") as source, part.open("wb") as copy:
            tensors = _write_header(source, header, copy)
            start = copy.tell()
            for old, new in zip(header.tensors, tensors, strict=True):
                copy.write(bytes(start + new.offset - copy.tell()))
                source.seek(header.data_start + old.offset)
                _copy_tensor(source, old, copy)
        # Another process may have done the same: the contents are equal, the last one stays.
        part.replace(target)


def _write_header(source: BinaryIO, header: GgufHeader, copy: BinaryIO) -> list[Tensor]:
    """Write everything before the data; return the tensors as they will stand in the copy."""
    metadata = bytearray(source.read(header.metadata_end))
    if "general.file_type" in header.positions:
        struct.pack_into("<I", metadata, header.positions["general.file_type"], _MOSTLY_Q8_0)
    copy.write(metadata)
    tensors: list[Tensor] = []
    offset = 0
    for tensor in header.tensors:
        kind = _Q8_0 if tensor.kind == _Q4_1 else tensor.kind
        tensors.append(replace(tensor, kind=kind, offset=offset))
        copy.write(_record(tensors[-1]))
        offset = aligned(offset + tensors[-1].data_bytes, header.alignment)
    copy.write(bytes(aligned(copy.tell(), header.alignment) - copy.tell()))
    return tensors


def _record(tensor: Tensor) -> bytes:
    name = tensor.name.encode()
    return (
        struct.pack("<Q", len(name))
        + name
        + struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
        + struct.pack("<IQ", tensor.kind, tensor.offset)
    )


def _copy_tensor(source: BinaryIO, tensor: Tensor, copy: BinaryIO) -> None:
    elements, size = BLOCKS[tensor.kind]
    blocks = prod(tensor.shape) // elements
    while blocks > 0:
        count = min(blocks, _CHUNK_BLOCKS)
        data = source.read(count * size)
        if tensor.kind == _Q4_1:
            data = q8_0_from_q4_1(np.frombuffer(data, np.uint8)).tobytes()
        copy.write(data)
        blocks -= count


def q8_0_from_q4_1(data: _Bytes) -> _Bytes:
    """Requantise blocks of 32 weights.

    Q4_1 is scale f16, minimum f16, 16 bytes of two 4-bit steps each (low halves first);
    Q8_0 is scale f16, 32 signed bytes.  The error is at most half of 1/127 of the block's
    largest weight.
    """
    blocks = data.reshape(-1, 20)
    scale = blocks[:, 0:2].copy().view(np.float16).astype(np.float32)
    minimum = blocks[:, 2:4].copy().view(np.float16).astype(np.float32)
    steps = np.concatenate([blocks[:, 4:] & 15, blocks[:, 4:] >> 4], axis=1)
    weights = scale * steps + minimum
    new_scale = (np.abs(weights).max(axis=1, keepdims=True) / 127).astype(np.float16)
    divisor = np.where(new_scale > 0, new_scale, np.float16(1)).astype(np.float32)
    new_steps = np.clip(np.rint(weights / divisor), -127, 127).astype(np.int8)
    return np.concatenate([new_scale.view(np.uint8), new_steps.view(np.uint8)], axis=1).ravel()
