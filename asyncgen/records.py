"""The frozen values that flow between the rooms.

A :class:`Request` goes from the pipeline to the engine and comes back as a
:class:`Completion`; both are journaled together as an :class:`Answer`. Folding
answers yields :class:`Task` and :class:`Rejection` values.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

__all__ = [
    "Answer",
    "Api",
    "Completion",
    "Failures",
    "FinishReason",
    "Instance",
    "Judgement",
    "Meter",
    "Neighbour",
    "Prompt",
    "Provenance",
    "RateHint",
    "Reason",
    "Rejection",
    "Reply",
    "Request",
    "Sampling",
    "SeedTask",
    "Stage",
    "Task",
    "Usage",
]

Stage = Literal["generation", "classification", "instances", "judging", "survey"]
"""What a request is for: the stages of Self-Instruct, or a question of a fixed set."""

Api = Literal["chat", "completions", "anthropic"]

Meter = Literal["requests", "tokens", "input_tokens", "output_tokens"]
"""What a rate limit counts; `tokens` are input and output together."""

FinishReason = Literal["stop", "length", "content_filter", "error"]

Reason = Literal[
    # of a whole answer
    "request_failed",
    "no_items",
    # of an instruction
    "cut_off",
    "empty",
    "too_short",
    "too_long",
    "blacklisted",
    "asks_for_program",
    "starts_with_punctuation",
    "starts_with_non_ascii",
    "leaked_template",
    "mixed_in_task",
    "out_of_order",
    "unchanged",
    "not_rewritten",
    "copies_text",
    "repetitive",
    "refusal",
    "wrong_language",
    "similar",
    "excluded",
    # of an instance
    "instance_cut_off",
    "output_empty",
    "output_equals_input",
    "output_equals_instruction",
    "ends_with_colon",
    "output_leaks_template",
    "output_runs_on",
    "output_repetitive",
    "output_refuses",
    "output_asks_for_input",
    "instance_duplicate",
    "conflicting_outputs",
    "too_many_instances",
    "judged_low",
    # of a task
    "no_instance",
]


class Judgement(Struct, frozen=True, kw_only=True):
    """What a judge said of an instance, by the three questions of the paper's table 2.

    Attributes:
        valid: Whether its task is one that can be done; with the two below ``None`` where the
            judge did not say.
        input: Whether its input suits that.
        output: Whether its output is right.
        score: The share of yes among the three, to two places.
        model: Who judged, by its own name.
    """

    valid: bool | None
    input: bool | None
    output: bool | None
    score: float
    model: str = ""


class Instance(Struct, frozen=True, omit_defaults=True):
    """One worked example of a task; an empty ``input`` means that none is needed.

    Attributes:
        judge: What a judge said of it, if there is one.
    """

    input: str
    output: str
    judge: Judgement | None = None


class SeedTask(Struct, frozen=True, kw_only=True):
    """A human-written task, in the schema of the original's ``seed_tasks.jsonl``.

    ``category`` is ours; files without it are fine, other fields are ignored.
    """

    id: str
    instruction: str
    instances: tuple[Instance, ...]
    is_classification: bool
    name: str = ""
    category: str = ""


_FRAME = 16
"""Tokens that begin and end a message, at the most."""


class Prompt(Struct, frozen=True):
    """What is asked: text that is the same for many requests, then text that is not.

    The fixed part comes first so that prefix caches hit. Completion endpoints
    get the parts joined; chat endpoints a system message, the turns that were
    shown, and a user message.

    Attributes:
        turns: Examples of what the user says and the assistant answers; fixed too.
        api: The interface that it is written for.
        continues: The variable part is the beginning of the assistant's answer to
            the last turn, which the endpoint goes on with.
    """

    fixed: str
    variable: str
    turns: tuple[tuple[str, str], ...] = ()
    api: Api = "chat"
    continues: bool = False

    @property
    def characters(self) -> int:
        """How long it is."""
        length = len(self.fixed) + len(self.variable)
        for said, answered in self.turns:
            length += len(said) + len(answered)
        return length

    @property
    def worst_tokens(self) -> int:
        """More tokens than any tokenizer makes of it: one a byte, and those that frame turns."""
        tokens = _bytes_of(self.fixed) + _bytes_of(self.variable) + 2 * _FRAME
        for said, answered in self.turns:
            tokens += _bytes_of(said) + _bytes_of(answered) + 2 * _FRAME
        return tokens


def _bytes_of(text: str) -> int:
    """Return how long a text is in UTF-8; one of ASCII need not be encoded for that."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


class Sampling(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How to decode. ``None`` leaves a choice to the endpoint.

    Attributes:
        max_output_tokens: Upper bound of the answer, in tokens.
        stop: Strings that end the answer, not part of it.
        seed: Sampling seed for endpoints that take one.
        choices: The only answers wanted; endpoints that can, restrict decoding
            to them and report the log-probability of each.
    """

    max_output_tokens: int = 256
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    choices: tuple[str, ...] = ()


class Request(Struct, frozen=True):
    """One question to a language model.

    ``(stage, key)`` names it within a run: the key is the ordinal for
    generation, the task's id for the later stages, with ":0" behind it for its first
    instance, and with "#2" where the same is asked a second time.

    Attributes:
        shown: Ids of the tasks that a generation prompt shows, in their order.
    """

    stage: Stage
    key: str
    prompt: Prompt
    sampling: Sampling
    shown: tuple[str, ...] = ()


class Usage(Struct, frozen=True):
    """Tokens that one answer took.

    Attributes:
        input_tokens: Of the prompt, all of them.
        output_tokens: Of the answer, reasoning included.
        cached_tokens: Input tokens read from a provider's prefix cache.
        cache_write_tokens: Input tokens written to it, where that is charged apart.
        reasoning_tokens: Output tokens that are not part of the text.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
        )


class Failures(Struct, frozen=True):
    """Attempts that failed before an answer came, by why.

    Attributes:
        rate: Refused for the rate (429).
        overload: Refused for load, or with another status of 5xx.
        lost: Not reached, timed out, broken off, cut or empty.
        other: Any other: the endpoint had no credit, or refused for good, and another answered.
    """

    rate: int = 0
    overload: int = 0
    lost: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.rate + self.overload + self.lost + self.other


class Completion(Struct, frozen=True, kw_only=True):
    """What a model answered, or why it never will (``finish_reason="error"``).

    Attributes:
        text: The answer; of a failed request, what the endpoint said.
        endpoint: The host that answered.
        model: The model that answered, by its own name.
        cost: US dollars, ``None`` where no price is known.
        choice_logprobs: Log-probability of each of the wanted choices, where
            the endpoint reports it.
        started_at: Unix time of the successful attempt, in seconds.
        seconds: Duration of that attempt.
        failures: The attempts before that one.
        lost_cost: US dollars, at the worst, for attempts before it whose answers were lost but
            may have been billed.
        recalled: Whether it was taken over, from another run or a shared cache: tokens, cost and
            times are then those of the run that asked.
    """

    text: str
    finish_reason: FinishReason
    usage: Usage = Usage()
    endpoint: str = ""
    model: str = ""
    cost: float | None = None
    choice_logprobs: dict[str, float] | None = None
    started_at: float = 0.0
    seconds: float = 0.0
    failures: Failures = Failures()
    lost_cost: float = 0.0
    recalled: bool = False

    @property
    def attempts(self) -> int:
        """How often it was tried, the successful attempt included."""
        return 1 + self.failures.total

    @property
    def spent(self) -> float:
        """US dollars that the run paid for it as far as known, lost attempts included."""
        return 0.0 if self.recalled else (self.cost or 0.0) + self.lost_cost


class RateHint(Struct, frozen=True, kw_only=True):
    """What an endpoint said of one of its limits, by headers or an error body.

    Attributes:
        meter: What the limit counts.
        window: Seconds over which it counts: 60, 1 or 86,400.
        limit: How much it allows in a window.
        remaining: How much is left now.
        reset: Seconds from now until it is whole again.
        certain: Whether this host's headers are known; of a host that is not, the window is a
            guess, and the hint may be used for caution only.
    """

    meter: Meter
    window: float
    limit: float | None = None
    remaining: float | None = None
    reset: float | None = None
    certain: bool = True


class Reply(Struct, frozen=True):
    """What came back from one attempt: the answer, and what was said of limits beside it."""

    completion: Completion
    hints: tuple[RateHint, ...] = ()


class Answer(Struct, frozen=True):
    """A request and what came of it: the unit of the journal and of the fold."""

    request: Request
    completion: Completion


class Neighbour(Struct, frozen=True):
    """The nearest text in the pool, by its id, with its ROUGE-L F-measure."""

    id: str
    score: float


class Provenance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an instruction comes from.

    Attributes:
        ordinal: Number of the generation request, from 0.
        position: Place among the items of its answer, from 0.
        demonstrations: Ids of the tasks shown in its prompt, in their order.
        parent: Id of the task that it is a rewriting of; with the fields below it is left out where
            the recipe knows none.
        operation: How that was rewritten.
        row: Of the given text that it is the instruction for, from 1.
    """

    ordinal: int
    position: int
    demonstrations: tuple[str, ...]
    model: str
    endpoint: str
    parent: str | None = None
    operation: str | None = None
    row: int | None = None


class Task(Struct, frozen=True, kw_only=True):
    """One line of ``dataset.jsonl``."""

    id: str
    instruction: str
    is_classification: bool
    instances: tuple[Instance, ...]
    most_similar: Neighbour | None
    provenance: Provenance


class Rejection(Struct, frozen=True, kw_only=True):
    """One line of ``rejected.jsonl``: what was dropped, why, and its nearest neighbour.

    Attributes:
        text: The instruction, or the instance as ``input → output``.
        detail: What in it broke the rule, where that is not the whole text; of an excluded text
            that it resembles the beginning.
        nearest: Of an excluded text the id is ``exclude_FILE_ROW``, both by number, from 1.
        task: Id of the task, for instances and whole tasks.
    """

    stage: Stage
    reason: Reason
    text: str
    ordinal: int
    position: int
    detail: str = ""
    nearest: Neighbour | None = None
    task: str | None = None
