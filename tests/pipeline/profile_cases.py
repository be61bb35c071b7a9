"""What the two profiles make of answers: every rule of the original, at its boundaries.

``section`` is that of the original's processing: 1 to 9 are the steps behind the generation
of instructions, "beyond" what it does not look for, "similarity" the filter; "worked",
"labelled" and "both" the parsing and filtering of instances.

An outcome lists what becomes of each item in its order: the text that is kept, or the reason
for dropping it in angle brackets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.records import FinishReason

__all__ = ["DECISIONS", "EXAMPLES", "LISTS", "DecisionCase", "ExampleCase", "ListCase"]

ORIGINAL_BLACKLIST = (
    *"image images graph graphs picture pictures file files map maps draw plot".split(),
    "go to",
)


class ListCase(NamedTuple):
    """An answer to a generation request that ended in "9."; ``None`` if both do the same."""

    name: str
    section: str
    text: str
    paper: Sequence[str]
    default: Sequence[str] | None = None
    finish_reason: FinishReason = "stop"


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


def _words(count: int) -> str:
    return " ".join(["Compare", *(f"word{number}" for number in range(1, count))])


_SEVEN = "Alpha beta gamma delta epsilon zeta eta"

LISTS = [
    # 1: whole answers
    ListCase("no answer", "1", "", ["<request_failed>"], finish_reason="error"),
    ListCase(
        "a cut answer is lost as a whole",
        "1",
        " Name four rivers now.\n10. Name four old lakes.\n11. Name fo",
        ["<cut_off>", "<cut_off>", "<cut_off>"],
        ["Name four rivers now.", "Name four old lakes.", "<cut_off>"],
        finish_reason="length",
    ),
    # 2: splitting
    ListCase(
        "numbers at the beginnings of lines",
        "2",
        " Name four rivers now.\n10. Name four old lakes.\n11. Sing a sad song.",
        ["Name four rivers now.", "Name four old lakes.", "Sing a sad song."],
    ),
    ListCase(
        "a blank before the dot",
        "2",
        " Name four rivers now.\n10 . Name four old lakes.",
        ["Name four rivers now.", "Name four old lakes."],
    ),
    ListCase(
        "no blank behind the dot",
        "2",
        " Name four rivers now.\n10.Name four old lakes.",
        ["Name four rivers now. 10.name four old lakes."],
        ["Name four rivers now.", "Name four old lakes."],
    ),
    ListCase(
        "a bracket instead of the dot",
        "2",
        " Name four rivers now.\n10) Name four old lakes.",
        ["Name four rivers now. 10) name four old lakes."],
        ["Name four rivers now.", "Name four old lakes."],
    ),
    ListCase(
        "numbers in bold type",
        "2",
        " Name four rivers now.\n**10.** Name four old lakes.",
        ["Name four rivers now. **10.** name four old lakes."],
        ["Name four rivers now.", "Name four old lakes."],
    ),
    ListCase(
        "numbers are not checked",
        "2",
        " Sort these events by date:\n3. The first flight.\n1. The last war.",
        ["Sort these events by date:", "<too_short>", "<too_short>"],
        ["Sort these events by date:\n3. The first flight.\n1. The last war."],
    ),
    ListCase(
        "a list inside an instruction",
        "2",
        " Order the following facts:\n1. The moon was reached.\n2. The wall came down.\n10. Sing a "
        "sad song.",
        [
            "Order the following facts:",
            "The moon was reached.",
            "The wall came down.",
            "Sing a sad song.",
        ],
        [
            "Order the following facts:\n1. The moon was reached.\n2. The wall came down.",
            "Sing a sad song.",
        ],
    ),
    ListCase(
        "a year that ends a sentence",
        "2",
        " Say what happened in 2016. Use two sentences.",
        ["Say what happened in 2016. use two sentences."],
        ["Say what happened in 2016. Use two sentences."],
    ),
    ListCase(
        "a year that begins a line",
        "2",
        " Say what happened in the year\n2016. Use two sentences.",
        ["Say what happened in the year", "<too_short>"],
        ["Say what happened in the year\n2016. Use two sentences."],
    ),
    ListCase(
        "a number within a line",
        "2",
        " Name four rivers now. 10. Name four old lakes.",
        ["Name four rivers now. 10. name four old lakes."],
        ["<mixed_in_task>"],
    ),
    # 3: white space and case
    ListCase(
        "names and acronyms lose their capitals",
        "3",
        " Explain why NASA uses Python in the USA.",
        ["Explain why nasa uses python in the usa."],
        ["Explain why NASA uses Python in the USA."],
    ),
    ListCase(
        "code loses its case",
        "3",
        " Rename the method getUserName to fetchName.",
        ["Rename the method getusername to fetchname."],
        ["Rename the method getUserName to fetchName."],
    ),
    ListCase(
        "the first letter becomes a capital",
        "3",
        " name four old lakes.",
        ["Name four old lakes."],
        ["name four old lakes."],
    ),
    ListCase(
        "white space is collapsed",
        "3",
        "   Name \t four\n old   lakes. \n",
        ["Name four old lakes."],
    ),
    # 4: nothing
    ListCase("an empty answer", "4", "", ["<empty>"]),
    ListCase(
        "an empty item",
        "4",
        " Name four rivers now.\n10. \n11. Name four old lakes.",
        ["Name four rivers now.", "<empty>", "Name four old lakes."],
    ),
    # 5: length
    ListCase("three words", "5", " Name a river", ["<too_short>"]),
    ListCase("four words", "5", " Name a long river", ["Name a long river"]),
    ListCase("a compound is one word", "5", " Name long-lived animals", ["<too_short>"]),
    ListCase("150 words", "5", f" {_words(150)}", [_words(150)]),
    ListCase("151 words", "5", f" {_words(151)}", ["<too_long>"]),
    # 6: the blacklist
    *(
        ListCase(
            f"the word {term!r}",
            "6",
            f" Please {term} something for me today.",
            ["<blacklisted>"],
            [f"Please {term} something for me today."] if term in {"go to", "plot"} else None,
        )
        for term in ORIGINAL_BLACKLIST
    ),
    ListCase("in any case", "6", " Describe a PICTURE of the sea.", ["<blacklisted>"]),
    ListCase(
        "not inside words",
        "6",
        " Imagine the profile of a mapmaker drawing plots.",
        ["Imagine the profile of a mapmaker drawing plots."],
    ),
    ListCase("go to inside words", "6", " They forgo tonight what?", ["They forgo tonight what?"]),
    ListCase(
        "go to over two lines",
        "6",
        " Say why we go\nto bed late.",
        ["<blacklisted>"],
        ["Say why we go to bed late."],
    ),
    ListCase("a compound of it", "6", " Explain map-reading to a child.", ["<blacklisted>"]),
    ListCase(
        "an underscore is part of a word",
        "6",
        " Explain the variable file_name to me.",
        ["Explain the variable file_name to me."],
    ),
    ListCase(
        "drawing a conclusion",
        "6",
        " Draw a conclusion from these facts.",
        ["<blacklisted>"],
        ["Draw a conclusion from these facts."],
    ),
    ListCase(
        "filing a complaint",
        "6",
        " Explain how to file a complaint.",
        ["<blacklisted>"],
        ["Explain how to file a complaint."],
    ),
    ListCase(
        "the plot of a story",
        "6",
        " Sum up the plot of a novel.\n10. Plot the sales of a year.",
        ["<blacklisted>", "<blacklisted>"],
        ["Sum up the plot of a novel.", "<blacklisted>"],
    ),
    ListCase(
        "other media are not in it",
        "6",
        " Describe a video about cats.",
        ["Describe a video about cats."],
        ["<blacklisted>"],
    ),
    # 7: programs
    ListCase("a program", "7", " Write a program that sorts numbers.", ["<asks_for_program>"]),
    ListCase(
        "a program in lower case", "7", " write a PROGRAM to sort them.", ["<asks_for_program>"]
    ),
    ListCase(
        "a programme",
        "7",
        " Write a programme for the concert.",
        ["<asks_for_program>"],
        ["Write a programme for the concert."],
    ),
    ListCase(
        "only at the beginning",
        "7",
        " Please write a program that sorts.",
        ["Please write a program that sorts."],
    ),
    ListCase(
        "not with a language named",
        "7",
        " Write a python program that sorts.",
        ["Write a python program that sorts."],
    ),
    # 8 and 9: the first character
    ListCase("a quotation mark", "8", ' "Be kind" means what here?', ["<starts_with_punctuation>"]),
    ListCase("a dash", "8", " - name four old lakes", ["<starts_with_punctuation>"]),
    ListCase("a currency sign", "8", " $5 is how much elsewhere?", ["<starts_with_punctuation>"]),
    ListCase(
        "bold type",
        "8",
        " **Sea poem**: write about it.",
        ["<starts_with_punctuation>"],
        ["Sea poem: write about it."],
    ),
    ListCase("a digit passes", "8", " 3 old lakes are where?", ["3 old lakes are where?"]),
    ListCase("another script", "9", " Über alte Flüsse schreiben.", ["<starts_with_non_ascii>"]),
    ListCase("a curly quote", "9", " “be kind” means what here?", ["<starts_with_non_ascii>"]),
    ListCase(
        "only the first character counts",
        "9",
        " A naïve idea, explained plainly.",
        ["A naïve idea, explained plainly."],
    ),
    # the order of the rules
    ListCase("length before the blacklist", "5", " Map it", ["<too_short>"]),
    ListCase(
        "the blacklist before programs", "6", " Write a program for files.", ["<blacklisted>"]
    ),
    ListCase(
        "the blacklist before the script", "6", " “map” is short for what?", ["<blacklisted>"]
    ),
    # what the original does not look for
    ListCase(
        "a leaked field",
        "beyond",
        " Name a river. Output: the old one.",
        ["Name a river. output: the old one."],
        ["<leaked_template>"],
    ),
    ListCase(
        "a loop",
        "beyond",
        " The best of the best of the best of the best of all.",
        ["The best of the best of the best of the best of all."],
        ["<repetitive>"],
    ),
    ListCase(
        "a refusal",
        "beyond",
        " I'm sorry, but I can't assist with that.",
        ["I'm sorry, but i can't assist with that."],
        ["<refusal>"],
    ),
    # similarity
    ListCase(
        "the same again in one answer",
        "similarity",
        " Name four old lakes.\n10. Name four old lakes.",
        ["Name four old lakes.", "<similar>"],
    ),
    ListCase(
        "seven of ten words are not too many",
        "similarity",
        f" {_SEVEN} one two three.\n10. {_SEVEN} four five six.",
        [f"{_SEVEN} one two three.", f"{_SEVEN} four five six."],
    ),
    ListCase(
        "eight of ten words are",
        "similarity",
        f" {_SEVEN} theta one two.\n10. {_SEVEN} theta three four.",
        [f"{_SEVEN} theta one two.", "<similar>"],
    ),
    ListCase(
        "case and marks make no difference",
        "similarity",
        " Name four old lakes!\n10. (in short) name four OLD lakes?\n11. NAME, four; old lakes",
        ["Name four old lakes!", "<starts_with_punctuation>", "<similar>"],
    ),
]

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
