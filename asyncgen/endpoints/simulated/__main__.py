"""The child process: `python -m asyncgen.endpoints.simulated` followed by one JSON argument."""

from __future__ import annotations

from asyncgen.endpoints.simulated.child import main

if __name__ == "__main__":
    main()
