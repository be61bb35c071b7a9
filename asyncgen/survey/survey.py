"""A fixed set of questions to a model, asked to its end however often that is interrupted."""

from __future__ import annotations

import re
from collections import deque
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from asyncgen.endpoints.connect import open_endpoints
from asyncgen.errors import RunFolderError
from asyncgen.settings import read_toml
from asyncgen.survey.folder import JournalFolder
from asyncgen.survey.holding import holding
from asyncgen.survey.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Mapping, Sequence
    from pathlib import Path

    from asyncgen.endpoints.base import Endpoint
    from asyncgen.records import Answer, Completion, Request, Stage
    from asyncgen.settings import Settings

__all__ = ["Survey", "SurveyFolder", "Terms"]

Terms: TypeAlias = "Mapping[str, str | int | float | bool]"
"""What the questions follow from, and who is asked, by name. It is frozen in the folder: a
session that says otherwise is refused."""

_IDENTITY = "identity"
"""The term that holds what the endpoints call their model; known when they are open."""


@dataclass(frozen=True, slots=True)
class SurveyFolder(JournalFolder):
    """A folder that holds the answers to one set of questions, by one model."""

    kind: ClassVar[str] = "survey folder"

    @classmethod
    def named(cls, parent: Path, what: str, model: str) -> SurveyFolder:
        """Return the folder ``WHAT-MODEL``, with what no file's name should hold left out."""
        name = re.sub(r"[^\w.-]+", "-", model).strip("-.")
        return cls(parent / f"{what}-{name}")

    def read_terms(self) -> dict[str, str | int | float | bool]:
        """Return what was frozen; nothing before it was.

        Raises:
            SettingsError: If it was damaged.
        """
        return read_toml(self.settings) if self.settings.is_file() else {}

    def compare(self, terms: Terms) -> None:
        """Hold terms against those of the beginning, if there is one.

        Raises:
            RunFolderError: If they contradict; naming the first difference.
            SettingsError: If the frozen ones were damaged.
        """
        frozen = self.read_terms()
        if not frozen:
            return
        names = [name for name in {**frozen, **terms} if name != _IDENTITY or name in terms]
        self.refuse_differences(
            [
                f"{name}: {frozen.get(name, 'none')!r} → {terms.get(name, 'none')!r}"
                for name in names
                if name in frozen.keys() ^ terms.keys() or frozen[name] != terms[name]
            ]
        )

    def freeze(self, terms: Terms) -> None:
        """Write terms down.

        Raises:
            RunFolderError: If that cannot be done.
        """
        import tomli_w

        self.write(self.settings, tomli_w.dumps(dict(terms)).encode())


class _Questions:
    """The requests without an answer, in order, as a source of the engine."""

    def __init__(self, requests: Sequence[Request], answers: Mapping[str, Completion]) -> None:
        self._left = deque(one for one in requests if one.key not in answers)
        self._total = len(requests)
        self._answers = answers

    @property
    def finished(self) -> bool:
        """Whether every request is answered."""
        return len(self._answers) == self._total

    def next_request(self, stages: Collection[Stage] | None = None, /) -> Request | None:
        """Return the next request; ``None`` when all are under way, or it is not for ``stages``."""
        if not self._left or (stages is not None and self._left[0].stage not in stages):
            return None
        return self._left.popleft()


@dataclass(slots=True, eq=False)
class Survey:
    """Questions and the answers so far, in a folder that this process holds.

    Attributes:
        requests: What is asked; the keys differ.
        answers: What came of it, by key; one that will never be answered has
            ``finish_reason="error"``.
        resumed: How many were there at the beginning of this session.
    """

    folder: SurveyFolder
    settings: Settings
    terms: Terms
    requests: tuple[Request, ...]
    answers: dict[str, Completion]
    session: Session
    resumed: int

    @classmethod
    @contextmanager
    def opened(
        cls, folder: SurveyFolder, settings: Settings, terms: Terms, requests: Sequence[Request]
    ) -> Generator[Survey]:
        """Hold a folder, freeze the terms and read the answers that are there.

        Args:
            folder: Made unless it is there.
            settings: How the model is reached: endpoints, limits, budget, cache. They may differ
                from session to session.
            terms: What the requests follow from, the model's name included.
            requests: What to ask; each ``(stage, key)`` once.

        Raises:
            RunFolderError: If the folder is not writable, in use, damaged, of other terms, or
                holds answers to other questions.
            CacheError: If the shared cache cannot be used.
            SettingsError: If the frozen terms were damaged.
        """
        answers: dict[str, Completion] = {}

        async def act(answer: Answer) -> None:
            answers[answer.request.key] = answer.completion

        with holding(folder, settings, lambda: folder.compare(terms)) as (journal, cache):
            spent = journal.losses()
            by_key = {one.key: one for one in requests}
            for answer in journal.replay():
                if by_key.get(answer.request.key) != answer.request:
                    raise RunFolderError(
                        folder.path,
                        f"holds the answer to another question ({answer.request.key}); "
                        f"choose another {folder.kind}",
                    )
                answers[answer.request.key] = answer.completion
                spent += answer.completion.spent
            if not folder.settings.is_file():
                folder.freeze(terms)
            session = Session(journal, cache, spent, act)
            asked = tuple(requests)
            yield cls(folder, settings, terms, asked, answers, session, len(answers))

    @property
    def finished(self) -> bool:
        """Whether every question is answered."""
        return len(self.answers) == len(self.requests)

    async def ask(self, say: Callable[[str], None]) -> None:
        """Open the endpoints and ask until all is answered or the session is stopped.

        Args:
            say: Told what is going on, for the person who waits.

        Raises:
            InputError: If an endpoint refuses for good, a key is unusable, or the model is not
                the one that was asked before.
            RunPausedError: If no answer can be had for now, or the budget is used up.
            RunFolderError: If an answer could not be written.
            LocalServerError: If the embedded model's server does not start, or dies.
        """
        if self.finished:
            return
        async with AsyncExitStack() as stack:
            endpoints = await open_endpoints(stack, self.settings, self.folder.server_log, say)
            self._settle_model(endpoints)
            say("")
            questions = _Questions(self.requests, self.answers)
            await self.session.work(self.settings, endpoints, questions, say)

    def _settle_model(self, endpoints: Sequence[Endpoint]) -> None:
        """Freeze what the endpoints call their model: a file of the same name may be another."""
        identities = sorted({one.identity for one in endpoints})
        if len(identities) > 1:
            raise RunFolderError(
                self.folder.path,
                f"one survey asks one model, and the endpoints have {', '.join(identities)}",
            )
        known = {**self.terms, _IDENTITY: identities[0]}
        if _IDENTITY in self.folder.read_terms():
            self.folder.compare(known)
        self.folder.freeze(known)
