"""How the embedded server runs: one frozen value, passed to the child as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["RuntimeName", "ServerOptions"]

RuntimeName = Literal["auto", "openvino", "llamacpp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """What the user may choose about the embedded server.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 lets the system choose a free one.
        slots: Requests computed at the same time; further ones wait. llama.cpp takes 8 at most.
        threads: Threads that compute; 0 lets the runtime decide (llama.cpp: all cores but one).
        prefix_caching: Keep the computed beginnings of prompts for later requests.
        cache_gigabytes: Memory for the computed state of all slots together.
        runtime: `auto` takes OpenVINO where it can open the file, llama.cpp otherwise.
    """

    host: str = "127.0.0.1"
    port: int = 0
    slots: int = 32
    threads: int = 0
    prefix_caching: bool = True
    cache_gigabytes: int = 1
    runtime: RuntimeName = "auto"
