"""A finetuned model as a GGUF file: its base's file with other weights.

Metadata, tokenizer and chat template are copied from the base, so only what was loaded from a
GGUF file can be written as one. How a tensor lies in the file is found by asking transformers'
own loader what it does with it, and doing the opposite.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import numpy.typing as npt
from transformers.modeling_gguf_pytorch_utils import (
    TENSOR_PROCESSORS,
    TensorProcessor,
    get_gguf_hf_weights_map,
)

from asyncgen.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["TYPES", "write_gguf"]

TYPES = {
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
}
"""What weights are stored as, by name, and what the whole file is then called."""

_Array = npt.NDArray[Any]


def write_gguf(model: Any, base: Path, kind: str, target: Path) -> None:
    """Write a model, of transformers, that was loaded from a GGUF file.

    Args:
        model: The model.
        base: The file that it was loaded from.
        kind: The type of its matrices, of :data:`TYPES`; vectors stay in float32.
        target: The file to write.

    Raises:
        ModelFileError: If a tensor of the base has no counterpart in the model.
        OSError: If it cannot be written.
    """
    reader = gguf.GGUFReader(base)
    kept, whole = TYPES[kind]
    architecture = str(_value(reader, gguf.Keys.General.ARCHITECTURE))
    writer = gguf.GGUFWriter(target, architecture)
    with contextlib.closing(writer):
        _copy_metadata(reader, writer, whole)
        _write_tensors(reader, writer, _Weights(model, architecture, base), kept)


def _write_tensors(
    reader: gguf.GGUFReader,
    writer: gguf.GGUFWriter,
    weights: _Weights,
    kept: gguf.GGMLQuantizationType,
) -> None:
    chosen = [_stored_as(tensor, kept) for tensor in reader.tensors]
    for tensor, stored in zip(reader.tensors, chosen, strict=True):
        held, dtype = _held(_shape(tensor), stored)
        size = int(np.prod(held)) * dtype.itemsize
        writer.add_tensor_info(tensor.name, held, dtype, size, raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    # One after the other: a whole model in float32 is not held besides itself.
    for tensor, stored in zip(reader.tensors, chosen, strict=True):
        writer.write_tensor_data(gguf.quantize(weights.of(tensor), stored))


_F32, _F16 = gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16


def _stored_as(tensor: Any, kept: gguf.GGMLQuantizationType) -> gguf.GGMLQuantizationType:
    if len(tensor.shape) < 2:
        return _F32
    block, _ = gguf.GGML_QUANT_SIZES[kept]
    return kept if int(tensor.shape[0]) % block == 0 else _F16


def _shape(tensor: Any) -> tuple[int, ...]:
    """Return a tensor's shape as numpy has it: the dimension that lies together is the last."""
    return tuple(int(size) for size in reversed(tensor.shape))


def _held(
    shape: tuple[int, ...], stored: gguf.GGMLQuantizationType
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of the array that is written."""
    if stored in {_F32, _F16}:
        return shape, np.dtype(np.float32 if stored == _F32 else np.float16)
    return tuple(gguf.quant_shape_to_byte_shape(shape, stored)), np.dtype(np.uint8)


def _value(reader: gguf.GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    return None if field is None else field.contents()


def _copy_metadata(
    reader: gguf.GGUFReader, writer: gguf.GGUFWriter, whole: gguf.LlamaFileType
) -> None:
    changed = {
        gguf.Keys.General.FILE_TYPE: int(whole),
        gguf.Keys.General.QUANTIZATION_VERSION: gguf.GGML_QUANT_VERSION,
    }
    for name, field in reader.fields.items():
        # The writer has written these itself.
        if name == gguf.Keys.General.ARCHITECTURE or name.startswith("GGUF."):
            continue
        is_array = field.types[0] == gguf.GGUFValueType.ARRAY
        writer.add_key_value(
            name,
            changed.get(name, field.contents()),
            field.types[0],
            sub_type=field.types[-1] if is_array else None,
        )


class _Weights:
    """The weights of a model, as a GGUF file has them."""

    def __init__(self, model: Any, architecture: str, base: Path) -> None:
        kind: Callable[..., TensorProcessor] = TENSOR_PROCESSORS.get(architecture, TensorProcessor)
        self._processor = kind(config=model.config.to_dict())
        self._names: dict[str, str] = get_gguf_hf_weights_map(model, self._processor)
        self._state: dict[str, Any] = model.state_dict()
        self._base = base

    def of(self, tensor: Any) -> _Array:
        """Return what belongs in the place of a tensor of the base; a constant stays."""
        name = self._names.get(tensor.name)
        if name is None:
            if tensor.name.startswith("rope_"):
                constant: _Array = gguf.dequantize(tensor.data, tensor.tensor_type)
                return constant
            raise ModelFileError(
                f"{self._base}: tensor {tensor.name} has no counterpart in the model; "
                "--gguf none writes no GGUF file"
            )
        ours: _Array = self._state[name].float().numpy(force=True)
        return self._backwards(tensor.name, ours, _shape(tensor))

    def _backwards(self, name: str, ours: _Array, shape: tuple[int, ...]) -> _Array:
        """Undo what the loader does, which moves numbers about and may add a constant."""
        blank = np.zeros(shape)
        shift = self._loaded(name, blank)
        if shift is blank:
            return ours
        places = self._loaded(name, np.arange(np.prod(shape), dtype=np.float64).reshape(shape))
        order = (places - shift).astype(np.int64).ravel()
        if ours.shape != places.shape or not np.array_equal(np.sort(order), np.arange(order.size)):
            raise ModelFileError(
                f"{self._base}: how tensor {name} follows from the model is not known; "
                "--gguf none writes no GGUF file"
            )
        theirs = np.empty(order.size, np.float32)
        theirs[order] = (ours - shift).ravel()
        return theirs.reshape(shape)

    def _loaded(self, name: str, weights: _Array) -> _Array:
        """Return what the loader makes of weights of this name."""
        loaded: _Array = self._processor.process(weights=weights, name=name).weights
        return loaded
