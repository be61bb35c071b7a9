"""Which files are taken for a model, and which are refused with which words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from asyncgen.endpoints.embedded.gguf import read_header
from asyncgen.endpoints.embedded.model import ModelSource, cache_folder, find_model, fingerprint
from asyncgen.endpoints.embedded.requantize import lossless_for_openvino, q8_0_from_q4_1
from asyncgen.errors import ModelFileError

if TYPE_CHECKING:
    from asyncgen.endpoints.embedded import ModelFile


def test_header_of_the_default_model(model: ModelFile) -> None:
    header = read_header(model.path)

    assert header.architecture == "llama"
    assert header.number("context_length", 0) == 8192
    assert header.needed_bytes == model.path.stat().st_size


def test_users_file_is_named_after_itself(model: ModelFile) -> None:
    assert find_model(ModelSource(path=model.path)).name == model.path.stem


def test_a_fingerprint_tells_weights_apart_whatever_the_file_is_called(tmp_path: Path) -> None:
    """By the ends and the length: of a file of gigabytes not all is read."""
    contents = [b"GGUF" + bytes(3 << 20) + end for end in (b"a", b"b", b"ab")]
    contents += [b"", b"GGUF", b"GGUF" + bytes(3 << 20) + b"a"]
    paths = [tmp_path / f"{number}.gguf" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    prints = [fingerprint(path) for path in paths]

    assert len(set(prints)) == len(prints) - 1
    assert prints[0] == prints[-1]
    with pytest.raises(ModelFileError, match="cannot be read"):
        fingerprint(tmp_path / "absent.gguf")


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (0, "does not begin with 'GGUF'"),
        (3, "does not begin with 'GGUF'"),
        (10, "ends inside its header"),
        (1_000_000, "ends inside its header"),
        (50_000_000, "truncated: 50,000,000 of 98,362,432 bytes"),
        (98_362_431, "truncated"),
    ],
)
def test_truncated_file_is_refused(model: ModelFile, tmp_path: Path, kept: int, said: str) -> None:
    path = tmp_path / "cut.gguf"
    with model.path.open("rb") as file:
        path.write_bytes(file.read(kept))

    with pytest.raises(ModelFileError, match=said):
        find_model(ModelSource(path=path))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (ModelSource(path=Path("nowhere.gguf")), "nowhere.gguf.*No such file"),
        (ModelSource(path=Path()), "Is a directory"),
        (ModelSource(path=Path("a"), hub="b"), "not both"),
    ],
)
def test_unusable_source_is_refused(source: ModelSource, said: str) -> None:
    with pytest.raises(ModelFileError, match=said):
        find_model(source)


def test_garbage_after_the_magic_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "garbage.gguf"
    rng = np.random.default_rng(1)
    for _ in range(50):
        path.write_bytes(b"GGUF\x03\0\0\0" + rng.bytes(400))
        with pytest.raises(ModelFileError, match=r"garbage\.gguf"):
            find_model(ModelSource(path=path))


def test_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASYNCGEN_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


_SCALES = st.floats(0, 4, width=16)


@given(
    arrays(np.uint8, (3, 16)),
    arrays(np.float16, (3, 1), elements=_SCALES),
    arrays(np.float16, (3, 1), elements=st.floats(-8, 8, width=16)),
)
def test_requantised_weights_are_within_half_a_step(
    halves: np.ndarray, scale: np.ndarray, minimum: np.ndarray
) -> None:
    blocks = np.concatenate([scale.view(np.uint8), minimum.view(np.uint8), halves], axis=1)
    steps = np.concatenate([halves & 15, halves >> 4], axis=1)
    weights = scale.astype(float) * steps + minimum.astype(float)

    result = q8_0_from_q4_1(blocks.ravel()).reshape(3, 34)
    new_scale = result[:, :2].copy().view(np.float16).astype(float)
    found = new_scale * result[:, 2:].view(np.int8)

    largest = np.abs(weights).max(axis=1, keepdims=True)
    # Half a step, the rounding of the scale to 16 bits, and its smallest value.
    allowed = largest * (0.5 / 127 + 2**-10) + 127 * 2.0**-24
    assert (np.abs(found - weights) <= allowed).all()


def test_rewritten_copy_keeps_everything_else(model: ModelFile, tmp_path: Path) -> None:
    header = read_header(model.path)
    copy = lossless_for_openvino(model.path, header, tmp_path)
    found = read_header(copy)

    assert found.needed_bytes <= copy.stat().st_size
    assert found.metadata == header.metadata | {"general.file_type": 7}
    assert [t.shape for t in found.tensors] == [t.shape for t in header.tensors]
    assert {t.kind for t in found.tensors} == {0, 8}
    norms = [
        [
            np.memmap(path, np.float32, "r", h.data_start + t.offset, t.shape)
            for t in h.tensors
            if t.kind == 0
        ]
        for path, h in ((model.path, header), (copy, found))
    ]
    assert all((a == b).all() for a, b in zip(*norms, strict=True))
    # Made once.
    written = copy.stat().st_mtime_ns
    assert lossless_for_openvino(model.path, header, tmp_path) == copy
    assert copy.stat().st_mtime_ns == written
    # And a file without loss is taken as it is.
    assert lossless_for_openvino(copy, found, tmp_path) == copy
