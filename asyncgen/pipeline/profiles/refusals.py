"""Answers in which a model speaks of itself, or will not do what it was asked."""

from __future__ import annotations

import re

__all__ = ["asks_for_input", "declines", "speaks_of_itself"]

_MODEL = r"(?:[\w-]+ ){0,3}?(?:AI|artificial intelligence|language model)\b"
_CANNOT = (
    r"(?: can(?:no|')t| can ?not| am (?:not able|unable)|'m (?:not able|unable)| won't| will not"
    r"| must decline| (?:do not|don't) have)"
)
_NOT = rf"(?:{_CANNOT}| (?:do not|don't)|'m not| am not)\b"
_SORRY = (
    r"(?:I(?:'m| am) (?:very |really |so )?sorry|Sorry|Unfortunately|I apologi[sz]e|My apologies)"
)
_HELP = (
    r"(?:(?:assist|help)(?: you)? with (?:that|this)|fulfill? |comply\b"
    r"|(?:provide|generate|create|write|produce|complete|answer|process|continue|discuss)"
    r" (?:that|this|the requested|your request|explicit|harmful)\b)"
)
_SEE = (
    r"(?:(?:browse|access|open|view|see|display|play|listen to|watch)"
    r" (?:the |any |external |this |that |these |your )*"
    r"(?:internet|web|links?|urls?|files?|images?|pictures?|audio|videos?|attachments?|real-time)\b"
    r"|(?:the )?(?:ability|capability) to\b"
    r"|access to (?:the |any |current |external )*(?:internet|web|real-time|information)\b)"
)
_DECLINES = re.compile(
    rf"\A\W*(?:{_SORRY}\b[,.]? (?:but )?)?I{_CANNOT}(?: to)? (?:{_HELP}|{_SEE})", re.IGNORECASE
)
_OF_ITSELF = re.compile(
    rf"\bas an? {_MODEL}[^.!?\n]{{0,20}}\bI{_NOT}|\bI(?:'m| am) (?:just |only )?an? {_MODEL}"
    rf"[^.!?\n]{{0,30}}{_NOT}",
    re.IGNORECASE,
)
_TEXT = (
    r"(?:text|sentence|input|article|passage|paragraph|details|information|context|code|list"
    r"|document|data|email|review|story|question|number)s?\b"
)
_ASKS = re.compile(
    r"\A\W*(?:Sure[,!.]? |Of course[,!.]? |Certainly[,!.]? )?"
    rf"(?:(?:Please|(?:Could|Can) you (?:please )?) ?(?:provide|share|give)"
    rf"|I (?:would )?need (?:you to provide )?)[^.!?\n]{{0,40}}{_TEXT}[^.!?\n]{{0,30}}"
    r"\b(?:you(?:'d| would)? (?:like|want|need)|to be \w+ed\b|so (?:that )?I can\b|for me to\b"
    r"|in order (?:for me )?to\b)"
    rf"|\A\W*(?:{_SORRY}[,.]? (?:but )?)?(?:(?:(?:there is|there's) )?no {_TEXT}"
    rf" (?:was |were |is )?(?:provided|given)|you (?:did not|didn't|have not|haven't) provided?"
    rf"(?: (?:any|a|an|the))? {_TEXT})\W*(?:\Z|\. )",
    re.IGNORECASE,
)


def declines(text: str) -> str | None:
    """It begins by declining: learned from, it teaches to decline."""
    return _found(_DECLINES, text)


def speaks_of_itself(text: str) -> str | None:
    """The model says what it, being one, cannot do.

    Texts about such models, or in which one plays a part, do not say that in the first person.
    """
    return _found(_OF_ITSELF, text)


def asks_for_input(text: str) -> str | None:
    """It asks for what a worked example should have made up, the text to work on."""
    return _found(_ASKS, text)


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text.replace("\u2019", "'"))
    return found[0].strip() if found else None
