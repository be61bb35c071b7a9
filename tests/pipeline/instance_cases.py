"""What the two profiles make of decisions and examples: every rule, at its boundaries.

``section`` is that of the original's processing: "worked", "labelled" and "both" are the
parsing and filtering of instances.

An outcome lists what becomes of each example in its order: the pair that is kept, or the
reason for dropping it in angle brackets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.records import FinishReason

__all__ = ["DECISIONS", "EXAMPLES", "DecisionCase", "ExampleCase"]


class DecisionCase(NamedTuple):
    """An answer to a classification request; ``None`` for one that is asked again."""

    text: str
    paper: bool
    default: bool | None
    finish_reason: FinishReason = "stop"


class ExampleCase(NamedTuple):
    """An answer to an instance request; pairs that are kept, and reasons for the others."""

    name: str
    section: str
    text: str
    paper: Sequence[tuple[str, str] | str]
    default: Sequence[tuple[str, str] | str] | None = None
    is_classification: bool = False
    finish_reason: FinishReason = "stop"


DECISIONS = [
    DecisionCase("Yes", paper=True, default=True),
    DecisionCase(" Yes", paper=True, default=True),
    DecisionCase("yes", paper=True, default=True),
    DecisionCase("YES\n", paper=True, default=True),
    DecisionCase("yEs", paper=False, default=True),
    DecisionCase("Yes.", paper=False, default=True),
    DecisionCase("**Yes**", paper=False, default=True),
    DecisionCase("Yes, this is", paper=False, default=True),
    DecisionCase("It is a classification task.", paper=False, default=True),
    DecisionCase("This task can be considered a classification task", paper=False, default=True),
    DecisionCase("No", paper=False, default=False),
    DecisionCase("No.", paper=False, default=False),
    DecisionCase("It's not a classification task.", paper=False, default=False),
    DecisionCase("This cannot be regarded as a classification task", paper=False, default=False),
    DecisionCase(
        "The answer is no because a poem is free, though yes for its tone.",
        paper=False,
        default=False,
    ),
    DecisionCase("Yes or no? The answer is: yes", paper=False, default=True),
    DecisionCase("There is no fixed set of labels.", paper=False, default=None),
    DecisionCase("Y", paper=False, default=None),
    DecisionCase("", paper=False, default=None),
    DecisionCase("Open-ended.", paper=False, default=None),
    DecisionCase("Yes", paper=False, default=False, finish_reason="error"),
]

EXAMPLES = [
    # without labels
    ExampleCase("an output alone", "worked", "Output: the Rhine", [("", "the Rhine")]),
    ExampleCase("a numbered example", "worked", "Example 1\nInput: a b\nOutput: c", [("a b", "c")]),
    ExampleCase(
        "two examples",
        "worked",
        "Example 1\nInput: a\nOutput: b\nExample 2\nInput: c\nOutput: d",
        [("a", "b"), ("c", "d")],
    ),
    ExampleCase("numbered fields", "worked", "Input 1: a\nOutput 1: b", [("a", "b")]),
    ExampleCase("neither word", "worked", "The Rhine.", [], [("", "The Rhine.")]),
    ExampleCase(
        "two pairs without the word",
        "worked",
        "Input: a\nOutput: b\nInput: c\nOutput: d",
        [("a", "b")],
        [("a", "b"), ("c", "d")],
    ),
    ExampleCase(
        "a second output is lost",
        "worked",
        "Input: a\nOutput: b\nOutput: c",
        [("a", "b")],
        [("a", "b"), ("", "c")],
    ),
    ExampleCase(
        "an input by another name",
        "worked",
        "Example 1\nParagraph: the sea\nOutput: blue",
        [("Paragraph: the sea", "blue")],
    ),
    ExampleCase(
        "a time of day is no field",
        "worked",
        "Example 1\nMeet at 12:30\nOutput: half past twelve",
        [("Meet at 12:30", "half past twelve")],
    ),
    ExampleCase(
        "the word in an output",
        "worked",
        "Output: Give an Example of this.",
        [("", "Give an"), ("", "of this.")],
        [("", "Give an Example of this.")],
    ),
    ExampleCase(
        "the word in an input",
        "worked",
        "Input: Example sentences help.\nOutput: they do",
        ["<output_equals_input>", ("sentences help.", "they do")],
        [("Example sentences help.", "they do")],
    ),
    ExampleCase(
        "a colon behind the word",
        "worked",
        "Example 1:\nInput: a\nOutput: b",
        [(":\nInput: a", "b")],
        [("a", "b")],
    ),
    ExampleCase(
        "an example without an output",
        "worked",
        "Example 1\nthe sea\nExample 2\nInput: a\nOutput: b",
        [("", "the sea"), ("a", "b")],
        [("a", "b")],
    ),
    ExampleCase(
        "an output in an input",
        "worked",
        "Input: print('Output: 3')\nOutput: It prints 3",
        [("print('", "3')")],
        [("print('Output: 3')", "It prints 3")],
    ),
    ExampleCase(
        "an input in an output",
        "worked",
        "Output: Type Input: 3 here",
        [("", "Type")],
        [("", "Type Input: 3 here")],
    ),
    # with labels
    ExampleCase(
        "labels and inputs",
        "labelled",
        "Class label: good\nI like it.\nClass label: bad\nI do not.",
        [("I like it.", "good"), ("I do not.", "bad")],
        is_classification=True,
    ),
    ExampleCase(
        "an input of several lines",
        "labelled",
        "Class label: good\nI like it.\nVery much.",
        [("I like it.\nVery much.", "good")],
        is_classification=True,
    ),
    ExampleCase(
        "what stands before the first label",
        "labelled",
        "Here they are.\nClass label: good\nI like it.",
        [("I like it.", "good")],
        is_classification=True,
    ),
    ExampleCase(
        "other labels",
        "labelled",
        "Label: good\nInput: I like it.",
        [],
        [("I like it.", "good")],
        is_classification=True,
    ),
    ExampleCase(
        "a field name stays in the input",
        "labelled",
        "Class label: good\nInput: I like it.",
        [("Input: I like it.", "good")],
        [("I like it.", "good")],
        is_classification=True,
    ),
    ExampleCase(
        "labels alone",
        "labelled",
        "Class label: good\nClass label: bad",
        [("", "good"), ("", "bad")],
        ["<conflicting_outputs>", "<conflicting_outputs>"],
        is_classification=True,
    ),
    ExampleCase(
        "a label inside a line",
        "labelled",
        "Class label: good\nShe said Class label: bad is wrong",
        [("She said", "good"), ("", "bad is wrong")],
        [("She said Class label: bad is wrong", "good")],
        is_classification=True,
    ),
    ExampleCase(
        "a label without a word",
        "labelled",
        "Class label:",
        ["<output_equals_input>"],
        ["<output_empty>"],
        is_classification=True,
    ),
    # both
    ExampleCase("no answer", "both", "", ["<request_failed>"], finish_reason="error"),
    ExampleCase(
        "a cut answer loses the last",
        "both",
        "Example 1\nInput: a\nOutput: b\nExample 2\nInput: c\nOutput: d",
        [("a", "b"), "<instance_cut_off>"],
        finish_reason="length",
    ),
    ExampleCase(
        "a cut answer loses the only one",
        "both",
        "Class label: good\nI lik",
        ["<instance_cut_off>"],
        is_classification=True,
        finish_reason="length",
    ),
    ExampleCase(
        "the cut one contradicts nothing",
        "both",
        "Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput: c",
        [("a", "b"), "<instance_cut_off>"],
        finish_reason="length",
    ),
    ExampleCase("a copy", "both", "Input: a\nOutput: a", ["<output_equals_input>"]),
    ExampleCase("an empty output", "both", "Input: a\nOutput:", ["<output_empty>"]),
    ExampleCase("an input that announces", "both", "Input: a:\nOutput: b", ["<ends_with_colon>"]),
    ExampleCase("an output that announces", "both", "Input: a\nOutput: b:", ["<ends_with_colon>"]),
    ExampleCase(
        "one input with two outputs",
        "both",
        "Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput: c\nExample 3\nInput: d\n"
        "Output: e",
        ["<conflicting_outputs>"] * 3,
    ),
    ExampleCase(
        "no input with two outputs",
        "both",
        "Example 1\nOutput: b\nExample 2\nOutput: c",
        [("", "b"), ("", "c")],
        ["<conflicting_outputs>"] * 2,
    ),
    ExampleCase(
        "one label for one input, then another",
        "both",
        "Class label: good\nsame\nClass label: bad\nsame",
        ["<conflicting_outputs>"] * 2,
        is_classification=True,
    ),
    ExampleCase(
        "what is invalid contradicts nothing",
        "both",
        "Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput:",
        [("a", "b"), "<output_empty>"],
    ),
    ExampleCase(
        "the same twice",
        "both",
        "Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput: b",
        [("a", "b"), "<instance_duplicate>"],
    ),
    ExampleCase(
        "a refusal",
        "both",
        "Output: I'm sorry, but I can't assist with that.",
        [("", "I'm sorry, but I can't assist with that.")],
        ["<output_refuses>"],
    ),
    ExampleCase(
        "a template's mark",
        "both",
        "Output: The Rhine.<|im_end|>",
        [("", "The Rhine.<|im_end|>")],
        ["<output_leaks_template>"],
    ),
    ExampleCase(
        "the next question",
        "both",
        "Output: The Rhine.\n\nQuestion: Which is longer?",
        [("", "The Rhine.\n\nQuestion: Which is longer?")],
        ["<output_runs_on>"],
    ),
    ExampleCase(
        "asking for the input",
        "both",
        "Output: Please provide the text you would like me to shorten.",
        [("", "Please provide the text you would like me to shorten.")],
        ["<output_asks_for_input>"],
    ),
    ExampleCase(
        "a loop",
        "both",
        "Output: no no no no no no no no no no",
        [("", "no no no no no no no no no no")],
        ["<output_repetitive>"],
    ),
    ExampleCase(
        "the instruction once more",
        "both",
        "Output: name four old lakes.",
        [("", "name four old lakes.")],
        ["<output_equals_instruction>"],
    ),
]
