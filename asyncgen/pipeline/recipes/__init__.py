"""Recipes: how a run comes by new tasks.

A recipe is one module and one entry in the table: what a generation request shows and asks, how
its answer is read, and which stages a kept instruction still goes through. All the rest is the
same for every recipe: the rules, the filter, the journal, the order, the dataset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.pipeline.recipes.alpaca import ALPACA
from asyncgen.pipeline.recipes.backtranslate import BACKTRANSLATE
from asyncgen.pipeline.recipes.evol import EVOL
from asyncgen.pipeline.recipes.self_instruct import SELF_INSTRUCT

if TYPE_CHECKING:
    from asyncgen.pipeline.recipes.values import Recipe
    from asyncgen.settings import Settings

__all__ = ["RECIPES", "recipe_of"]

RECIPES = {one.name: one for one in (SELF_INSTRUCT, ALPACA, EVOL, BACKTRANSLATE)}


def recipe_of(settings: Settings) -> Recipe:
    """Return the recipe of a run."""
    return RECIPES[settings.recipe]
