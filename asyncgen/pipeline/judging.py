"""Judging instances: what is asked of a judge, how its answer is read, and what that amounts to.

The three questions are those of the paper's review of its own data (table 2): is the task valid,
is the input appropriate, is the output correct. The texts are our own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.pipeline.seeds import read_block
from asyncgen.records import Judgement, Prompt

if TYPE_CHECKING:
    from asyncgen.records import Api, Completion, Instance

__all__ = [
    "FAILED",
    "JudgedInstance",
    "Verdicts",
    "in_words",
    "is_open",
    "judge_prompt",
    "judgement",
    "read_verdicts",
]

Verdicts = tuple[bool | None, bool | None, bool | None]
"""Of the task, its input and its output; ``None`` where the judge did not say."""

FAILED = frozenset({"error", "content_filter"})
"""How an answer ends that is none."""


class JudgedInstance(Struct, frozen=True):
    """An example that a judge is shown: an instance, and yes or no to each question."""

    instruction: str
    input: str
    output: str
    valid: bool
    suits: bool
    right: bool


_RUBRIC = (
    "You check examples that an assistant is to learn from. Each has a task, an input where one "
    "was given, and an output. Answer three questions with yes or no. "
    "1. Is the task valid: does it ask for something that can be understood, and done with text "
    "alone? "
    "2. Is the input appropriate: does it fit the task, and is there one where the task needs it? "
    "Where the task needs none and none is given, that is a yes. "
    "3. Is the output correct: does it do what the task asks, on that input, without an error?"
)
_FORM = "Answer with three numbered lines, each of them yes or no, and nothing else."
_QUESTIONS = "1. Is the task valid? 2. Is the input appropriate? 3. Is the output correct?"
_PLAINLY = f"Three lines, each with its number and only yes or no. {_QUESTIONS}"


def judge_prompt(
    instruction: str, instance: Instance, api: Api, *, language: str = "", plainly: bool = False
) -> Prompt:
    """Return the prompt that asks about an instance, the same for all up to the instance.

    Args:
        instruction: Of its task.
        instance: What is judged.
        api: The judge's interface.
        language: In English, of the tasks; empty for that.
        plainly: Whether it was asked before, in vain.
    """
    foreign = f" The examples may be in {language}; yes and no are said in English."
    header = _RUBRIC + (foreign if language else "")
    questions = _PLAINLY if plainly else _QUESTIONS
    asked = f"{_shown(instruction, instance.input, instance.output)}\n\n{questions}"
    turns = tuple(
        (f"{_shown(one.instruction, one.input, one.output)}\n\n{_QUESTIONS}", _answered(one))
        for one in read_block("judgements.jsonl", JudgedInstance)
    )
    if api != "completions":
        return Prompt(f"{header} {_FORM}", asked, turns, api)
    written = "".join(f"{said}\n{answer}\n\n\n" for said, answer in turns)
    return Prompt(f"{header}\n\n\n{written}", f"{asked}\n1.", api=api)


def _shown(instruction: str, given: str, output: str) -> str:
    task = " ".join(instruction.split())
    return f"Task: {task}\nInput: {given.strip() or '(none)'}\nOutput: {output.strip()}"


def _answered(one: JudgedInstance) -> str:
    said = (one.valid, one.suits, one.right)
    return "\n".join(f"{n}. {'yes' if yes else 'no'}" for n, yes in enumerate(said, start=1))


_WORDS = {"yes": True, "true": True, "no": False, "false": False}
_NAMES = {"task": 0, "input": 1, "output": 2}
# "**1.** Yes", "1) no", "Question 2: yes", "(3) No", "Task: yes", '"input": true'; not "2.7".
_MARK = re.compile(
    r"""(?:^|(?<=[\s,;{(]))[^\w\n]{0,4}(?:(?:Question|Q)[ ]?)?
        (?:([123])[ ]?[.):*\-\u2013](?!\d)|(task|input|output)\b[^\n:?]{0,40}[:?])""",
    re.IGNORECASE | re.VERBOSE,
)
# "no" before a noun says that something is missing.
_AT_ONCE = re.compile(
    r"\A\W*(yes|no|true|false)\b"
    r"(?! (?:input|output|errors?|mistakes?|issues?|problems?|such|further|other|more)\b)",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"\b(yes|no)\b(?=\W*\Z|[^\w\s]|\n|,? (?:because|since|as|it|this|the)\b)", re.IGNORECASE
)
_STATED = re.compile(
    r"\b(task|input|output) (?:is|was|seems)(?: (?:indeed|also|clearly|to be))?"
    r"( not| neither|n't)? (in)?(?:valid|appropriate|proper|suitable|correct|right)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[^.\n:]*\?")
_BARE = re.compile(r"\W*(yes|no)\W+(yes|no)\W+(yes|no)\W*", re.IGNORECASE)


def read_verdicts(completion: Completion, *, begun: bool) -> Verdicts:
    """Read three answers of yes or no, however a model says them.

    Under a number, or the name of what is asked about, counts the word that comes at once, else
    one that stands alone, if there is no other; else that a task is valid, an input appropriate
    or an output correct, or is not. Three words with nothing else are taken in their order. What
    a cut answer had said counts.

    Args:
        completion: The judge's answer.
        begun: Whether it goes on behind the first number.
    """
    if completion.finish_reason in FAILED:
        return None, None, None
    text = f"1.{completion.text}" if begun else completion.text
    if bare := _BARE.fullmatch(text):
        first, second, third = (_WORDS[word.lower()] for word in bare.groups())
        return first, second, third
    found: list[bool | None] = [None, None, None]
    marks = list(_MARK.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)][1:]
    for mark, end in zip(marks, ends, strict=True):
        place = int(mark[1]) - 1 if mark[1] else _NAMES[mark[2].lower()]
        said = text[mark.end() : end]
        if found[place] is None:
            # A number or our question may stand above a paragraph, a name stands in its line.
            is_heading = mark[1] or mark[0].endswith("?")
            found[place] = _said(said if is_heading else said.partition("\n\n")[0])
    for stated in _STATED.finditer(text):
        place = _NAMES[stated[1].lower()]
        if found[place] is None:
            found[place] = (stated[2] is None) == (stated[3] is None)
    return found[0], found[1], found[2]


def _said(text: str) -> bool | None:
    """Read the paragraph behind a mark; a question in it is ours, said again."""
    text = _QUESTION.sub("", text).strip().partition("\n\n")[0]
    if at_once := _AT_ONCE.match(text):
        return _WORDS[at_once[1].lower()]
    words = {_WORDS[word.lower()] for word in _ALONE.findall(text)}
    return words.pop() if len(words) == 1 else None


def is_open(verdicts: Verdicts) -> bool:
    """Whether the judge left a question open."""
    return None in verdicts


def judgement(first: Verdicts, second: Verdicts | None, model: str) -> Judgement:
    """Return what a judge said, what it left open at first taken from its second answer.

    The score is the share of yes among the three, so that what stays open counts as no.
    """
    valid, suits, right = (
        one if one is not None or second is None else second[place]
        for place, one in enumerate(first)
    )
    score = round(sum(one is True for one in (valid, suits, right)) / 3, 2)
    return Judgement(valid=valid, input=suits, output=right, score=score, model=model)


def in_words(said: Judgement) -> str:
    """Return a judgement in a line: what was said of each."""
    words = {True: "yes", False: "no", None: "?"}
    return f"task {words[said.valid]}, input {words[said.input]}, output {words[said.output]}"
