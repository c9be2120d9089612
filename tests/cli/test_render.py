"""``cinema render --dry-run`` as a person and as a script reads it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cinema_cli.cli.app import app
from pictured_films import make_film
from tiny_models import build_tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


def said(*words: str | Path) -> str:
    ran = CliRunner().invoke(app, [str(word) for word in words])
    assert ran.exit_code == 0, ran.stderr
    return ran.stdout


def test_it_is_told_what_would_be_made_and_nothing_is_written(model: Path, tmp_path: Path) -> None:
    film = make_film(tmp_path, ["1/4", "1/4"])
    before = sorted(tmp_path.rglob("*"))
    render = ("render", film, "--model", model, "--steps", "3", "--quiet")
    told = json.loads(said(*render, "--dry-run", "--json"))
    assert told["made"] == {"0001": "no clip yet", "0002": "no clip yet"}
    assert told["config"]["steps"] == 3
    assert (told["shots"], told["windows"], told["joined"]) == (2, 1, True)
    assert sorted(tmp_path.rglob("*")) == before
    lines = {line[:10].strip(): line[10:].strip() for line in said(*render, "--dry-run").splitlines()}
    assert lines["film"] == "is joined from them"
    assert lines["memory"].startswith("offload none, ")
    said(*render)
    done = said(*render, "--dry-run")
    assert "to make   nothing" in done
    assert "is up to date" in done


def test_a_model_that_is_not_here_is_not_fetched(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film", ["1/4"])
    ran = CliRunner().invoke(app, ["render", str(film), "--model", str(tmp_path / "nowhere"), "--dry-run"])
    assert ran.exit_code == 4
    assert not (film / "clips").exists()
