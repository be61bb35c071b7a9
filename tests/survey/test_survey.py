"""A survey is of one model and one set of questions, and stops where it is told to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from support.server import ModelServer, Reply, prompt_of

from asyncgen.endpoints.scripted import ScriptedEndpoint
from asyncgen.errors import InputError, RunFolderError, RunPausedError
from asyncgen.journal import JournalReader
from asyncgen.records import Prompt, Request, Sampling
from asyncgen.settings import resolve
from asyncgen.survey.survey import Survey, SurveyFolder, Terms

if TYPE_CHECKING:
    from pathlib import Path

    from asyncgen.settings import Settings

REQUESTS = [
    Request("survey", f"q{number}", Prompt("", f"question {number}"), Sampling(temperature=0.0))
    for number in range(12)
]
TERMS: Terms = {"kind": "trial", "model": "test-model", "depth": 2}


def _echo(body: dict[str, Any], _number: int) -> Reply:
    usage = {"prompt_tokens": 5, "completion_tokens": 200}
    return Reply(prompt_of(body).replace("question", "answer"), usage=usage)


def _settings(server: ModelServer, **more: Any) -> Settings:
    return resolve({"endpoint": server.url, "model": "test-model", "max_in_flight": 2, **more}, {})


def _asked(folder: Path, settings: Settings, **more: Any) -> dict[str, str]:
    terms = {**TERMS, **more}
    with Survey.opened(SurveyFolder(folder), settings, terms, REQUESTS) as survey:
        asyncio.run(survey.ask(lambda _line: None))
        assert survey.finished
        return {key: one.text for key, one in survey.answers.items()}


def test_every_question_is_answered_under_its_key_and_journaled(tmp_path: Path) -> None:
    with ModelServer(_echo) as server:
        answers = _asked(tmp_path / "out", _settings(server))
        again = _asked(tmp_path / "out", _settings(server))
        asked = len(server.bodies)

    assert answers == again == {f"q{number}": f"answer {number}" for number in range(12)}
    assert asked == 12
    journaled = list(JournalReader(tmp_path / "out" / "journal.db"))
    assert {one.request.key for one in journaled} == set(answers)
    assert {one.request.stage for one in journaled} == {"survey"}


def test_terms_that_contradict_are_refused_by_name(tmp_path: Path) -> None:
    with ModelServer(_echo) as server:
        _asked(tmp_path / "out", _settings(server))
        with pytest.raises(RunFolderError, match="depth: 2 → 3; give the same again"):
            _asked(tmp_path / "out", _settings(server), depth=3)
        with pytest.raises(RunFolderError, match="wide: 'none' → True"):
            _asked(tmp_path / "out", _settings(server), wide=True)


def test_limits_may_differ_from_session_to_session_but_not_the_questions(tmp_path: Path) -> None:
    folder = SurveyFolder(tmp_path / "out")
    with ModelServer(_echo) as server:
        _asked(folder.path, _settings(server))
        assert _asked(folder.path, _settings(server, rpm=5.0, max_in_flight=9))
        others = [msgspec.structs.replace(REQUESTS[0], sampling=Sampling(temperature=1.0))]
        with (
            pytest.raises(RunFolderError, match=r"the answer to another question \(q0\)"),
            Survey.opened(folder, _settings(server), TERMS, others),
        ):
            pass


def test_a_budget_pauses_it_and_a_larger_one_brings_it_to_its_end(tmp_path: Path) -> None:
    """Each answer costs 0.02 dollars, and up to 0.0256 when it is asked for: 256 tokens."""
    price = {"input": 0.0, "output": 100.0}
    with ModelServer(_echo) as server:
        lane = {"url": server.url, "model": "test-model", "price": price}
        given = {"endpoints": [lane], "max_in_flight": 1}
        with pytest.raises(RunPausedError, match="raise --max-cost to go on"):
            _asked(tmp_path / "out", resolve({**given, "max_cost": 0.09}, {}))
        before = len(server.bodies)
        _asked(tmp_path / "out", resolve({**given, "max_cost": 1.0}, {}))

    assert 3 <= before <= 4
    assert len(server.bodies) == 12


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", "utf-8")

    with ModelServer(_echo) as server, pytest.raises(InputError, match=r"it holds notes\.txt"):
        _asked(tmp_path, _settings(server))


def test_answers_whose_settings_are_gone_are_not_taken_for_others(tmp_path: Path) -> None:
    with ModelServer(_echo) as server:
        _asked(tmp_path / "out", _settings(server))
        (tmp_path / "out" / "settings.toml").unlink()
        with pytest.raises(InputError, match=r"settings\.toml is missing|not a survey folder"):
            _asked(tmp_path / "out", _settings(server))


def _named(identity: str) -> ScriptedEndpoint:
    return ScriptedEndpoint(lambda _request, _attempt: "never asked", identity=identity)


def test_another_model_of_the_same_name_is_refused(tmp_path: Path) -> None:
    """As the embedded model is whose file was replaced: its identity has the file's hash."""
    with (
        ModelServer(_echo) as server,
        Survey.opened(SurveyFolder(tmp_path), _settings(server), TERMS, REQUESTS) as survey,
    ):
        survey._settle_model([_named("local a 1")])
        survey._settle_model([_named("local a 1")])
        with pytest.raises(RunFolderError, match="identity: 'local a 1' → 'local a 2'"):
            survey._settle_model([_named("local a 2")])
        with pytest.raises(RunFolderError, match="one survey asks one model"):
            survey._settle_model([_named("x"), _named("y")])
