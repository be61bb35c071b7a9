"""A stand-in for a language model: its answers follow from the prompt alone."""

from __future__ import annotations

import random
import re

_NOUNS = (
    "river stone cloud tiger lamp paper orbit violin garden winter copper silver market bridge "
    "forest engine candle mirror rocket harbor meadow thunder velvet walnut zebra canyon puzzle "
    "ladder pepper saddle teapot anchor blanket compass dolphin feather glacier hammock island"
).split()
_VERBS = "Explain Compare List Rewrite Summarise Invent Translate Describe Rank Plan".split()


def answer(prompt: str) -> str:
    """Answer a prompt of any stage, as a completion endpoint or a chat model would."""
    rng = random.Random(prompt)
    last_line = prompt.rstrip().splitlines()[-1]
    if last_line.startswith("Classification"):
        return " yes" if rng.random() < 0.2 else " no"
    if last_line.startswith("Task:"):
        return _instances(rng, label_first="Label: " in prompt)
    return _items(prompt, rng)


def _items(prompt: str, rng: random.Random) -> str:
    chat = re.search(r"tasks (\d+) to \d+", prompt)
    first = int(chat[1]) if chat else int(prompt.rsplit("\n", 1)[1].rstrip("."))
    lines = [
        f"{first + offset}. {rng.choice(_VERBS)} the {' '.join(rng.sample(_NOUNS, 5))}."
        for offset in range(rng.randrange(3, 8))
    ]
    text = "\n".join(lines)
    return text if chat else text.removeprefix(f"{first}.")


def _instances(rng: random.Random, *, label_first: bool) -> str:
    if rng.random() < 0.1:
        return "Output:"
    one, other = (" ".join(rng.sample(_NOUNS, 4)) for _ in range(2))
    if label_first:
        return f"Label: good\nInput: {one}\nLabel: bad\nInput: {other}"
    return f"Input: {one}\nOutput: {other}"
