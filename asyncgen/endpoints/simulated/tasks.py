"""Simulated instructions, and what can be told from an instruction's words alone."""

from __future__ import annotations

import re

from asyncgen.endpoints.simulated.chance import mixed
from asyncgen.endpoints.simulated.phrases import filled, phrases
from asyncgen.endpoints.simulated.seeds import seed_decisions
from asyncgen.endpoints.simulated.words import SLOTS

__all__ = [
    "instruction",
    "is_classification",
    "labels_of",
    "rewriting",
    "takes_input",
    "variation",
]

_OPEN = phrases("""
    {verb} the {aspect} of a {quality} {thing} to {person} {place}.
    write {form} by {person} who finds a {quality} {thing} {place}, {limit}.
    how would {person} {verb} the {aspect} of a {quality} {thing}? Answer {limit}.
    invent {form} that links a {thing} with a {quality} {thing} {place}.
    name a {quality} use for a {thing} {place}, then {verb} its {aspect}.
    {verb} {limit} why {person} would trade a {thing} for a {quality} {thing}.
    what should {person} know about the {aspect} of a {thing} {place}?
    suppose a {quality} {thing} vanished {place}: {verb} its {aspect} {limit}.
    compose {form} about {aspect} and a {quality} {thing}, addressed to {person}.
    which mistakes does {person} make with a {quality} {thing} {place}?
    give {person} a plan for a {quality} {thing} and a {quality} {thing}, {limit}.
    {limit}, {verb} how {aspect} and {aspect} differ for a {quality} {thing}.
    if {person} met {person} {place}, what would they say of a {thing}?
    {verb} a {quality} tradition {place} in which {person} carries a {thing}.
    from {aspect} to {aspect}: {verb} the life of a {quality} {thing} {place}.
    draft {form} in which {person} blames {person} for a {quality} {thing}.
    can a {thing} replace a {quality} {thing} {place}? Weigh {aspect} against {aspect}.
    {place}, {person} sells a {quality} {thing}; write {form} for it.
    list three {quality} names for a {thing} owned by {person}, {limit}.
    teach {person} to judge a {thing} by its {aspect} and {aspect}, {limit}.
    two friends argue {place} over a {quality} {thing}; {verb} both sides {limit}.
    who pays when {person} damages a {quality} {thing} {place}? Answer {limit}.
    continue the story: {place}, {person} opened a {quality} {thing} and lost a {thing}.
    recommend a {quality} gift for {person} that has to do with {aspect} or a {thing}.
""")

_WITH_INPUT = phrases("""
    {edit} the {text} about a {quality} {thing}, keeping its {aspect} for {person}.
    {edit} this {text} that {person} wrote {place}; mention the {thing} {limit}.
    given a {text} on {aspect}, {verb} what it says of the {quality} {thing} {limit}.
    from the {quality} {text} below, report the {aspect} of each {thing} to {person}.
    read what {person} posted {place} and {edit} the part on the {quality} {thing}.
    someone sends a {text} {place}. Reply as {person} with a {thing} in mind, {limit}.
    take the {text} and {edit} it so that {person} grasps the {aspect} of the {thing}.
    what does the {quality} {text} leave out about {aspect}, in the view of {person}?
    {edit} a {quality} {text}, then add one line on the {thing} {place}.
    correct every claim on {aspect} in this {quality} {text} from {person}, {limit}.
""")

_CLASSIFICATION = phrases("""
    classify the {text} about a {thing} {place} as {label} or {label}.
    label the {quality} {thing} in the {text} of {person} as {label} or {label}.
    {person} reads a {quality} {text} on {aspect}: classify it as {label}, {label} or {label}.
    judging its {aspect}, classify the {quality} {thing} as {label}, {label} or {label}.
    does the {text} from {person} mention the {aspect} of a {quality} {thing}? Answer yes or no.
    would {person} call the {quality} {thing} in this {text} {label}? Answer yes or no.
""")

# A second sentence, which keeps tens of thousands of tasks apart.
_TAILS = phrases("""
    mention a {quality} {thing} and {aspect}.
    the reader is {person} who knows every {thing} {place}.
    work in the words {thing}, {thing} and {quality}.
    avoid the words {quality} and {thing}, and say nothing of {aspect}.
    {person} will check the {aspect}, {person} the {aspect}.
    keep it {label}, not {label}, and end with a {thing}.
    imagine a {quality} audience {place}.
    begin with a {thing} and close on {aspect}.
    let a {quality} {thing} stand for {aspect}.
    finish {limit}, for {person} hates a {quality} {thing}.
    stay {label}: {person} dislikes any {thing}.
    use it to {verb} {aspect} to {person}.
    treat {aspect} as {label} and {aspect} as {label}.
    pretend that {person} pays with a {quality} {thing}.
    {place}, such things count as {label}.
    compare it with a {thing} that {person} left {place}.
""")

_LEADS = phrases("""
    {person} {place} collects notes on {aspect}.
    at stake is a {quality} {thing} {place}.
    think of {aspect}, of a {thing} and of {person}.
    {person} and {person} disagree on a {quality} {thing}.
    only {aspect} counts here, not the {quality} {thing}.
    the source is {person}, {label} as ever {place}.
    a {thing} and a {quality} {thing} came up {place}.
    for a survey on {aspect} and {aspect}, {person} needs help.
""")

# Of ten new tasks three work on an input and two sort into labels.
_KINDS = (_OPEN,) * 5 + (_WITH_INPUT,) * 3 + (_CLASSIFICATION,) * 2

_SORTING = re.compile(
    r"\b(?:classify|label (?:the|each|this|it)|categorise|categorize|which category|"
    r"yes or no|true or false|positive or negative)\b",
    re.IGNORECASE,
)
_LABELS = re.compile(r" as ((?:[\w-]+, )*[\w-]+ or [\w-]+)\W*$")
_TAKES_INPUT = re.compile(
    r"\b(?:below|this|these|the following|given|passage|(?:the|a) (?:[\w-]+ )?(?:{}))\b".format(
        "|".join(map(re.escape, SLOTS["text"]))
    ),
    re.IGNORECASE,
)


def instruction(key: int) -> str:
    """Return a task's instruction; neighbouring keys give unlike ones."""
    bits = mixed(key, 0)
    kind = _KINDS[bits % len(_KINDS)]
    text = filled(kind, mixed(bits, 1))
    if kind is _CLASSIFICATION:
        # Its labels stand at the end.
        return f"{filled(_LEADS, mixed(bits, 2))} {text}"
    return f"{text} {filled(_TAILS, mixed(bits, 2))}"


def rewriting(text: str, key: int) -> str:
    """Return an instruction made harder: its first sentence, and two that ask for more."""
    first = re.split(r"(?<=[.?!]) ", text, maxsplit=1)[0]
    return f"{first} {filled(_TAILS, mixed(key, 3))} {filled(_TAILS, mixed(key, 4))}"


def variation(text: str) -> str:
    """Return an instruction said again in nearly the same words, as models now and then do."""
    return f"{text[:-1]}, please{text[-1:]}"


def is_classification(text: str) -> bool:
    """Whether an instruction sorts something into labels."""
    known = seed_decisions().get(text)
    return bool(_SORTING.search(text)) if known is None else known


def takes_input(text: str) -> bool:
    """Whether an instruction speaks of a text to work on."""
    return _TAKES_INPUT.search(text) is not None


def labels_of(text: str) -> list[str]:
    """Return the labels that an instruction names, else yes and no."""
    found = _LABELS.search(text)
    if found is None:
        return ["yes", "no"]
    labels = list(dict.fromkeys(re.split(r", | or ", found[1])))
    # Chance may have named one label twice.
    return labels if len(labels) > 1 else [*labels, "neither"]
