"""Fetching a model from a hub on loopback, by the real huggingface_hub in its own process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import orjson
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytest.importorskip("huggingface_hub")

# The smallest GGUF there is: no metadata, no tensors.
EMPTY_GGUF = b"GGUF\x03\0\0\0" + bytes(16) + bytes(8)
COMMIT = "0" * 40


class Hub(BaseHTTPRequestHandler):
    """Answers for two repositories: one with a single GGUF, one with two."""

    files: ClassVar = {"me/one": ["a.gguf", "README.md"], "me/two": ["a.gguf", "b.gguf"]}

    def do_GET(self) -> None:
        """Serve a repository's description or a file."""
        repository = "/".join(self.path.removeprefix("/api/models").split("/")[1:3])
        names = self.files.get(repository.partition("?")[0])
        if names is None:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif "/resolve/" in self.path:
            self._send(200, EMPTY_GGUF, {"ETag": '"e"', "X-Repo-Commit": COMMIT})
        elif "/tree/" in self.path:
            entries = [{"type": "file", "path": n, "size": 1, "oid": "1"} for n in names]
            self._send(200, orjson.dumps(entries))
        else:
            siblings = [{"rfilename": name} for name in names]
            self._send(200, orjson.dumps({"id": repository, "sha": COMMIT, "siblings": siblings}))

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Say nothing."""

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture(scope="module")
def hub() -> Generator[str]:
    """The hub's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("me/one", "found a"),
        ("me/two:b.gguf", "found b"),
        ("me/two", "2 GGUF files, choose one as me/two:FILE of a.gguf, b.gguf"),
        ("me/none", "--hub me/none: cannot be fetched"),
        ("not a name", "--hub not a name: cannot be fetched"),
    ],
)
def test_model_from_the_hub(hub: str, tmp_path: Path, reference: str, said: str) -> None:
    program = (
        "import sys; from asyncgen.endpoints.embedded import ModelSource, find_model\n"
        "from asyncgen.errors import ModelFileError\n"
        "try: print('found', find_model(ModelSource(hub=sys.argv[1])).name)\n"
        "except ModelFileError as error: print(error)\n"
    )
    environment = {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, reference],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )

    assert said in done.stdout
