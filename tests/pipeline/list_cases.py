"""What the two profiles make of lists of instructions: every rule, at its boundaries.

``section`` is that of the original's processing: 1 to 9 are the steps behind the generation
of instructions, "beyond" what it does not look for, "similarity" the filter.

An outcome lists what becomes of each item in its order: the text that is kept, or the reason
for dropping it in angle brackets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.records import FinishReason

__all__ = ["LISTS", "ListCase"]

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
