"""Grammars that both runtimes read."""

from __future__ import annotations

import json

__all__ = ["literal_grammar"]


def literal_grammar(text: str) -> str:
    """Return an EBNF grammar that admits exactly this text."""
    # JSON's escapes are a subset of the grammars'; other characters stand for themselves.
    return f"root ::= {json.dumps(text, ensure_ascii=False)}"
