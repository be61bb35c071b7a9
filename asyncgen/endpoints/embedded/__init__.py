"""The embedded model: a small language model served OpenAI-compatibly on loopback.

`find_model` finds or fetches the file, `embedded_server` runs it in a child process.
Everything heavy (the runtimes, the web server) is imported in the child only.
"""

from __future__ import annotations

from asyncgen.endpoints.embedded.model import ModelFile, ModelSource, find_model
from asyncgen.endpoints.embedded.options import ServerOptions
from asyncgen.endpoints.embedded.process import EmbeddedServer, embedded_server

__all__ = [
    "EmbeddedServer",
    "ModelFile",
    "ModelSource",
    "ServerOptions",
    "embedded_server",
    "find_model",
]
