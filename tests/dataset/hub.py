"""The part of a hub's interface that uploading a dataset takes, on loopback."""

from __future__ import annotations

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import orjson

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["TOKEN", "LocalHub"]

TOKEN = "hf_a_token_that_may_write"  # noqa: S105 - no secret
COMMIT = "0" * 40


class LocalHub:
    """Keeps what is committed to it.

    Attributes:
        files: By repository and path.
        visibility: By repository, as it was made.
        commits: How many there were.
    """

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.visibility: dict[str, str] = {}
        self.commits = 0
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.answer(self, b"")

            def do_POST(self) -> None:
                hub.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """What to set ``HF_ENDPOINT`` to."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        """Answer one request of the client."""
        if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
            _send(handler, 401, {"error": "Invalid credentials in Authorization header"})
            return
        path = handler.path.partition("?")[0].removeprefix("/api/")
        repository = "/".join(path.split("/")[1:3])
        if path == "repos/create":
            self._create(handler, orjson.loads(body))
        elif path == "validate-yaml":
            _send(handler, 200, {"errors": [], "warnings": []})
        elif "/preupload/" in path:
            # Small files, as this hub sees it: they come with the commit.
            asked = orjson.loads(body)["files"]
            files = [
                {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                for one in asked
            ]
            _send(handler, 200, {"files": files})
        elif "/commit/" in path:
            self._commit(handler, repository, body)
        elif "/tree/" in path:
            entries = [
                {"type": "file", "path": name, "size": len(content), "oid": "0"}
                for name, content in self.files[repository].items()
            ]
            _send(handler, 200, entries)
        elif repository in self.files:
            siblings = [{"rfilename": name} for name in self.files[repository]]
            _send(handler, 200, {"id": repository, "sha": COMMIT, "siblings": siblings})
        else:
            _send(handler, 404, {"error": "Not Found"})

    def _create(self, handler: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        owner = asked.get("organization") or "me"
        repository = f"{owner}/{asked['name']}"
        if owner == "stranger":
            _send(handler, 403, {"error": "You have no rights under this namespace"})
            return
        existed = repository in self.files
        self.files.setdefault(repository, {".gitattributes": b""})
        if not existed:
            self.visibility[repository] = asked.get("visibility", "public")
        url = f"{self.url}/datasets/{repository}"
        _send(handler, 409 if existed else 200, {"url": url, "name": repository, "id": repository})

    def _commit(self, handler: BaseHTTPRequestHandler, repository: str, body: bytes) -> None:
        for line in map(orjson.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                self.files[repository][value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del self.files[repository][value["path"]]
        self.commits += 1
        url = f"{self.url}/datasets/{repository}/commit/{COMMIT}"
        _send(handler, 200, {"commitUrl": url, "commitOid": COMMIT, "success": True})


def _send(handler: BaseHTTPRequestHandler, status: int, value: object) -> None:
    body = orjson.dumps(value)
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    if isinstance(value, dict) and value.get("error"):
        handler.send_header("X-Error-Message", str(value["error"]))
    handler.end_headers()
    handler.wfile.write(body)
