"""Measures as a program reads them: numbers without the texts behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from asyncgen.report.measures.distribution import summary

if TYPE_CHECKING:
    from asyncgen.report.measures.measures import Measures

__all__ = ["outline"]

_LABELS = 50


def outline(run: Measures) -> dict[str, Any]:
    """Return a run's measures as plain values."""
    lengths = run.lengths
    told: dict[str, Any] = msgspec.to_builtins(
        {
            "name": run.name,
            "status": run.status,
            "seeds": run.seeds,
            "models": run.models,
            "rouge_l": {"seed": summary(run.to_seed), "kept": summary(run.to_kept)},
            "words": {
                "instruction": summary(lengths.instruction),
                "input": summary(lengths.input),
                "output": summary(lengths.output),
                "empty_inputs": lengths.empty_inputs,
            },
            "stretches": run.stretches,
            "labels": msgspec.structs.replace(run.labels, counts=run.labels.counts[:_LABELS]),
            "verbs": run.pairs,
            "stages": run.spending,
            "flow": run.flow,
        }
    )
    return told
