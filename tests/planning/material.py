"""Bases of estimates with round numbers, and whole runs against a simulated provider."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from asyncgen.endpoints.connect import open_endpoints
from asyncgen.endpoints.prices import fixed_prices
from asyncgen.endpoints.simulated import Latency, SimulatedOptions, simulated_here
from asyncgen.pipeline.agenda import Forecast
from asyncgen.pipeline.run import Run
from asyncgen.planning.costs import Tariff
from asyncgen.planning.estimate import Basis
from asyncgen.planning.funnel import Funnel
from asyncgen.planning.loads import Kind, Load
from asyncgen.planning.pace import Ceilings
from asyncgen.planning.probe import Probe
from asyncgen.planning.work import Standing
from asyncgen.settings import Price, Settings, resolve

if TYPE_CHECKING:
    from asyncgen.endpoints.simulated import Verdict
    from asyncgen.pipeline.folder import RunFolder

__all__ = ["FUNNEL", "LOADS", "NEW", "basis", "settings_for", "worked"]

FUNNEL = Funnel(
    candidates_per_answer=10.0, acceptance=1.0, classification_share=0.25, valid_per_kept=0.5
)
NEW = Standing(
    tasks=0, valid=0, kept=0, undecided=0, ready=0, waiting=0, forecast=Forecast(6.0, 0.8)
)


def _load(input_tokens: float, fixed_tokens: float, output_tokens: float, seconds: float) -> Load:
    return Load(
        input_tokens=input_tokens,
        fixed_tokens=fixed_tokens,
        output_tokens=output_tokens,
        seconds=seconds,
    )


LOADS: dict[Kind, Load] = {
    "generation": _load(300, 100, 200, 4),
    "classification": _load(1000, 950, 1, 1),
    "input_first": _load(1500, 1400, 80, 2),
    "output_first": _load(2000, 1900, 120, 2),
}


def basis(**changes: Any) -> Basis:
    """Return the basis of a run of 100 tasks, one request at a time, at a dollar a million."""
    price = Price(input=1.0, output=2.0, cached=0.5)
    given: dict[str, Any] = {
        "target": 100,
        "surplus": 0.0,
        "look_ahead": 64,
        "standing": NEW,
        "funnel": FUNNEL,
        "loads": LOADS,
        "ceilings": Ceilings(max_in_flight=1),
        "tariffs": (Tariff(1.0, "m", fixed_prices(price)),),
        "max_cost": None,
        "spent": 0.0,
        "measured_on": 0,
        **changes,
    }
    return Basis(**given)


def settings_for(url: str = "http://127.0.0.1:9/v1", **changes: Any) -> Settings:
    """Return the settings of a run against one endpoint."""
    return resolve({}, {"endpoint": url, "model": "m", **changes})


async def worked(
    folder: RunFolder, *, probe: int | None = None, **changes: Any
) -> tuple[Run, Settings, Verdict]:
    """Work on a run, to its end or through a probe; return it and what the provider saw of it."""
    options = SimulatedOptions(latency=Latency(first=0.02, per_token=0.0002))
    async with simulated_here(options) as provider, AsyncExitStack() as stack:
        settings = settings_for(provider.base_url, **changes)
        endpoints = await open_endpoints(stack, settings, folder.server_log, lambda _line: None)
        with Run.opened(folder, settings) as run:
            source = None if probe is None else Probe(run.agenda, run.fold, probe)
            await run.work(endpoints, lambda _line: None, source)
        return run, settings, provider.verdict()
