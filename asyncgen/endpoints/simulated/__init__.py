"""A simulated provider on loopback, for planning and tests.

It has the limits, headers, latencies and faults of the real ones, answers every prompt of the
pipeline plausibly and always alike, and judges its client.  `simulated_server` runs it in a
child process, `simulated_here` in this one.
"""

from __future__ import annotations

from asyncgen.endpoints.simulated.options import Allowance, Latency, SimulatedOptions, Step
from asyncgen.endpoints.simulated.process import SimulatedServer, simulated_server
from asyncgen.endpoints.simulated.server import SimulatedProvider, simulated_here
from asyncgen.endpoints.simulated.verdict import Verdict, verdict_text

__all__ = [
    "Allowance",
    "Latency",
    "SimulatedOptions",
    "SimulatedProvider",
    "SimulatedServer",
    "Step",
    "Verdict",
    "simulated_here",
    "simulated_server",
    "verdict_text",
]
