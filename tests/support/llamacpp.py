"""llama.cpp's own HTTP server, a server that is not ours: prints its base URL, ends with stdin.

Run as ``python llamacpp.py MODEL.gguf``.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


def main() -> None:
    """Serve until standard input ends."""
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.n_parallel = 3
    params.n_ctx = 3 * 4096
    # Two spinning threads on two busy cores stall each other.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.ui = False
    params.verbosity = 1
    server = xllamacpp.Server(params)
    print(f"{server.listening_address}/v1", flush=True)  # noqa: T201 - its one line of output
    sys.stdin.read()


if __name__ == "__main__":
    main()
