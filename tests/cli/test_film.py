"""From story to film with the real commands, on tiny random models."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cinema_cli.cli.app import app
from cinema_cli.ffmpeg import probe
from tiny_models import build_tiny_models


def cinema(*words: str) -> dict[str, Any]:
    """What a command says, as JSON; it says nothing else."""
    ran = CliRunner().invoke(app, [*words, "--quiet", "--json"])
    assert (ran.exit_code, ran.stderr) == (0, "")
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def test_a_story_becomes_a_film(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = build_tiny_models(tmp_path / "models")
    story, film = tmp_path / "story.txt", tmp_path / "film"
    story.write_text("Mira walks in the forest. Tom waves on the beach at night.", encoding="utf-8")
    capfd.readouterr()
    sizes = ("--set", f"model={model}", "--set", "frame_size=[32, 32]", "--set", "shot_seconds='1/4'")
    plan = ("plan", str(story), "--out", str(film), "--steps", "2", "--set", "memory.groups=2", *sizes)
    made = cinema(*plan)
    assert (made["shots"], made["drawn"], made["skipped"]) == (2, 2, 0)
    assert made["mode"].startswith("no fine-tune: stock FLUX.1")
    assert cinema(*plan)["skipped"] == 2
    assert cinema(*plan, "--redo", "2", "--seed", "3")["drawn"] == 1
    render = ("render", str(film), "--steps", "2", "--set", f"model={model}")
    made = cinema(*render)
    assert (made["shots"], made["rendered"], made["skipped"]) == (2, 2, 0)
    assert cinema(*render, "--redo", "1")["rendered"] == 1
    assert made["film"] == str(film / "film.mp4")
    assert probe(film / "film.mp4").frames == 2 * 6
    # Libraries are as quiet as the command.
    assert capfd.readouterr() == ("", "")
