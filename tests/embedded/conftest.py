"""The model and the running servers, shared: starting one takes seconds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

from asyncgen.endpoints.embedded import (
    EmbeddedServer,
    ModelFile,
    ServerOptions,
    embedded_server,
    find_model,
)
from asyncgen.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="session")
def model() -> ModelFile:
    """The default model, from the user's cache or fetched into it."""
    try:
        return find_model()
    except ModelFileError as error:
        pytest.skip(f"the embedded model cannot be had: {error}")


@pytest.fixture(scope="session")
def openvino(
    model: ModelFile, tmp_path_factory: pytest.TempPathFactory
) -> Generator[EmbeddedServer]:
    """The server as users get it."""
    pytest.importorskip("openvino_genai")
    with _running(model, ServerOptions(runtime="openvino"), tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def uncached(
    model: ModelFile, tmp_path_factory: pytest.TempPathFactory
) -> Generator[EmbeddedServer]:
    """OpenVINO without prefix caching, one request at a time."""
    pytest.importorskip("openvino_genai")
    options = ServerOptions(runtime="openvino", prefix_caching=False, slots=1)
    with _running(model, options, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def llamacpp(
    model: ModelFile, tmp_path_factory: pytest.TempPathFactory
) -> Generator[EmbeddedServer]:
    """The server on llama.cpp."""
    pytest.importorskip("xllamacpp")
    options = ServerOptions(runtime="llamacpp", slots=8)
    with _running(model, options, tmp_path_factory) as server:
        yield server


@contextmanager
def _running(
    model: ModelFile, options: ServerOptions, folders: pytest.TempPathFactory
) -> Generator[EmbeddedServer]:
    log_path = folders.mktemp("server") / "server.log"
    with start_blocking_portal() as portal:
        context = embedded_server(model, options, log_path)
        with portal.wrap_async_context_manager(context) as server:
            yield server
