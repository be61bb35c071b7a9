"""The child process: `python -m asyncgen.endpoints.embedded` followed by one JSON argument."""

from __future__ import annotations

from asyncgen.endpoints.embedded.child import main

if __name__ == "__main__":
    main()
