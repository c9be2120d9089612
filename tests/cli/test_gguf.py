"""``--transformer file.gguf`` of commands: films drawn with it, and nothing fetched that it replaces."""

import json
from pathlib import Path

import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from typer.testing import CliRunner

from cinema_cli.cli.app import app
from gguf_files import original_flux, original_wan, wide_flux, wide_wan, write_gguf
from hub_server import Repository, asked, served
from tiny_models import build_tiny_models

NAME = "some-lab/tiny-flux"
SMALL = ("--steps", "1", "--set", "frame_size=[32, 64]", "--quiet", "--json")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models whose transformers have rows of whole blocks, and GGUF files of both beside them."""
    folder = build_tiny_models(tmp_path_factory.mktemp("models"))
    torch.manual_seed(1)
    flux, wan = wide_flux(), wide_wan()
    flux.save_pretrained(folder / "keyframes" / "transformer")
    wan.save_pretrained(folder / "video" / "transformer")
    write_gguf(folder / "flux-Q8_0.gguf", original_flux(flux), Kind.Q8_0)
    write_gguf(folder / "flux-Q4_0.gguf", original_flux(flux), Kind.Q4_0)
    write_gguf(folder / "wan-Q8_0.gguf", original_wan(wan), Kind.Q8_0, "wan")
    return folder


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def story(tmp_path: Path) -> str:
    path = tmp_path / "story.txt"
    path.write_text("Mira walks in the forest. Jon waits at the lake.", encoding="utf-8")
    return str(path)


def ran(*words: str) -> dict:
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def test_a_film_is_planned_and_rendered_with_gguf_files(model: Path, story: str, tmp_path: Path) -> None:
    film = str(tmp_path / "film")
    plan = ("plan", story, "--out", film, "--model", str(model), "--shots", "2", *SMALL)
    drawn, pictures = [], set()
    for transformer in ("flux-Q8_0.gguf", "flux-Q8_0.gguf", "flux-Q4_0.gguf"):
        drawn.append(ran(*plan, "--transformer", str(model / transformer))["drawn"])
        pictures.add((tmp_path / "film" / "keyframes" / "0001.png").read_bytes())
    assert (drawn, len(pictures)) == ([2, 0, 2], 2)
    render = ("render", film, "--model", str(model), "--steps", "1", "--quiet", "--json")
    more = ("--transformer", str(model / "wan-Q8_0.gguf"), "--set", "longest=2")
    board = tmp_path / "film" / "storyboard.json"
    shots = json.loads(board.read_text())
    for shot in shots["shots"]:
        shot["duration"] = "1/2"
    board.write_text(json.dumps(shots))
    assert [ran(*render, *more)["rendered"] for _ in range(2)] == [2, 0]


def test_what_does_not_fit_is_told_before_anything_is_written(
    model: Path, story: str, tmp_path: Path
) -> None:
    film = tmp_path / "film"
    plan = ("plan", story, "--out", str(film), "--model", str(model), "--transformer")
    told = CliRunner().invoke(app, [*plan, str(model / "wan-Q8_0.gguf")])
    assert told.exit_code == 3
    assert "img_in.weight was wanted, as the original FluxTransformer2DModel calls it" in told.stderr
    told = CliRunner().invoke(app, [*plan, str(tmp_path / "none.gguf")])
    assert told.exit_code == 4
    assert not film.exists()


def test_of_a_model_of_the_hub_the_transformer_is_not_fetched(
    model: Path, story: str, tmp_path: Path
) -> None:
    with served() as hub:
        hub.repositories[NAME] = Repository(model / "keyframes", card={"license": "apache-2.0"})
        plan = ("cinema", "plan", story, "--out", str(tmp_path / "film"), "--model", NAME, "--shots", "1")
        plan = (*plan, *SMALL, "--transformer", str(model / "flux-Q8_0.gguf"))
        first = asked(hub.address, tmp_path, *plan)
        assert first.returncode == 0, first.stderr
        assert json.loads(first.stdout)["drawn"] == 1
        fetched = [name for name in hub.fetched() if name.startswith("transformer/")]
        assert fetched == ["transformer/config.json"]
        again = asked(hub.address, tmp_path, *plan, HF_HUB_OFFLINE="1")
        assert (again.returncode, json.loads(again.stdout)["drawn"]) == (0, 0)
