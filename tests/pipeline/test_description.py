"""What a dataset's card tells of a run, and what it does not."""

from __future__ import annotations

from asyncgen.pipeline.description import told_settings
from asyncgen.settings import resolve


def test_what_decides_the_data_is_told_and_what_is_private_is_not() -> None:
    given = {
        "endpoint": "https://inside.example/v1",
        "model": "Qwen/Qwen3-8B",
        "api_key_env": "SECRET_NAME",
        "seeds": "/home/somebody/seeds.jsonl",
        "threshold": 0.65,
        "rpm": 321,
        "max_cost": 7.5,
    }
    told = told_settings(resolve({}, given)).splitlines()

    assert {'model = "Qwen/Qwen3-8B"', "threshold = 0.65", 'seeds = "seeds.jsonl"'} <= set(told)
    assert "[instances]" in told
    for private in ("inside.example", "SECRET_NAME", "somebody", "321", "7.5", "timeout"):
        assert private not in "\n".join(told)


def test_of_a_judge_the_model_is_told_and_not_where_it_is() -> None:
    judge = {"url": "https://inside.example/v1", "model": "big", "api_key_env": "SECRET_NAME"}
    given = {"endpoint": "local", "judge": {**judge, "rpm": 321}, "min_score": 0.67}
    told = told_settings(resolve(given, {}))

    assert 'model = "big"' in told
    assert "min_score = 0.67" in told
    for private in ("inside.example", "SECRET_NAME", "321"):
        assert private not in told
