"""Commands that are given a model: what is wrong with it is told in one sentence, with its exit code."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from cinema_cli import runtime
from cinema_cli.cli.app import app
from cinema_cli.models.contents import read_contents
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.thrift import component_bytes
from cinema_cli.training.checkpoint import save_module
from cinema_cli.training.lora import LoraConfig, LoraLayers
from tiny_models import build_tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def story(tmp_path: Path) -> str:
    path = tmp_path / "story.txt"
    path.write_text("Mira walks in the forest.", encoding="utf-8")
    return str(path)


def said(*words: str) -> tuple[int, str]:
    ran = CliRunner().invoke(app, words)
    return ran.exit_code, ran.stderr.strip()


def test_a_wrong_model_is_told_before_anything_is_written(story: str, tmp_path: Path, model: Path) -> None:
    film = tmp_path / "film"
    plan = ("plan", story, "--out", str(film), "--model")
    code, told = said(*plan, str(model / "video"))
    assert (code, told.partition(": ")[0]) == (3, "Error")
    assert told.endswith("found a model that makes clips: it is for cinema render.")
    code, told = said(*plan, str(tmp_path / "nowhere"))
    assert (code, told.startswith("Error: Weights for keyframes were wanted in ")) == (4, True)
    code, told = said(*plan, str(model), "--adapter", str(tmp_path))
    assert code == 4
    assert "pytorch_lora_weights.safetensors was wanted, in it or in its lora/, found none." in told
    assert not film.exists()


def test_a_licence_is_accepted_with_an_option(story: str, tmp_path: Path, model: Path) -> None:
    card = model / "keyframes" / "README.md"
    card.write_text("---\nbase_model: black-forest-labs/FLUX.1-dev\n---\n", encoding="utf-8")
    film = tmp_path / "film"
    plan = ("plan", story, "--out", str(film), "--model", str(model), "--steps", "1")
    plan = (*plan, "--set", "frame_size=[32, 32]", "--quiet")
    code, told = said(*plan)
    assert code == 4
    assert "is under the FLUX.1 [dev] Non-Commercial License: " in told
    assert "give --accept-licence to the command" in told
    assert not film.exists()
    assert said(*plan, "--accept-licence") == (0, "")
    assert said(*plan) == (0, "")
    card.unlink()


def test_an_adapter_makes_other_pictures(story: str, tmp_path: Path, model: Path) -> None:
    layers = LoraLayers(
        InterleavedFlux.from_pretrained(model / "keyframes" / "transformer"), LoraConfig(rank=2)
    )
    for parameter in layers.adapters:
        torch.nn.init.normal_(parameter)
    save_module(layers, tmp_path / "step-000010" / "ema" / "lora")
    plan = ("plan", story, "--out", str(tmp_path / "film"), "--model", str(model), "--steps", "1", "--json")
    plan = (*plan, "--set", "frame_size=[32, 32]", "--quiet")
    drawn = []
    pictures = set()
    for more in (
        (),
        ("--adapter", str(tmp_path / "step-000010")),
        ("--adapter", str(tmp_path / "step-000010")),
    ):
        ran = CliRunner().invoke(app, [*plan, *more])
        assert (ran.exit_code, ran.stderr) == (0, "")
        drawn.append(json.loads(ran.stdout)["drawn"])
        pictures.add(next((tmp_path / "film" / "keyframes").iterdir()).read_bytes())
    assert drawn == [1, 1, 0]
    assert len(pictures) == 2


def test_the_doctor_tells_of_a_model(model: Path) -> None:
    ran = CliRunner().invoke(app, ["doctor", "--model", str(model), "--json"])
    assert ran.exit_code == 0
    findings = json.loads(ran.stdout)["findings"]
    found = {finding["name"]: finding for finding in findings}
    assert len(found) == len(findings)
    assert found["keyframes: licence"] == {
        "name": "keyframes: licence",
        "state": "warn",
        "found": "licence unknown: read its card",
        "advice": "Read what it lets you do before you use it.",
    }
    assert found["keyframes: pipeline"]["found"] == "FluxPipeline"
    assert found["keyframes: transformer"]["found"].startswith("FluxTransformer2DModel, 40,5")
    assert found["video: keyframe"]["state"] == "ok"
    assert found["video: room"]["state"] == "ok"


def test_the_doctor_tells_what_is_wrong_with_a_model(model: Path, tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["doctor", "--model", str(model / "clip"), "--json"])
    assert ran.exit_code == 4
    (finding,) = json.loads(ran.stdout)["findings"]
    assert finding["state"] == "missing"
    assert finding["found"].endswith("it holds neither model_index.json nor keyframes/ nor video/")
    assert finding["advice"].startswith("Give a folder in diffusers' layout")


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 4)])
def test_at_a_terminal_the_licence_is_asked_about(
    model: Path, tmp_path: Path, answer: str, code: int
) -> None:
    card = model / "keyframes" / "README.md"
    card.write_text("---\nbase_model: black-forest-labs/FLUX.1-dev\n---\n", encoding="utf-8")
    ours, theirs = pty.openpty()
    try:
        worker = [sys.executable, str(Path(__file__).parents[1] / "hub_worker.py"), str(model), "keyframes"]
        ran = subprocess.Popen(worker, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE)
        os.write(ours, answer.encode())
        assert (ran.communicate()[0] != b"", ran.returncode) == (code == 0, code)
        told = os.read(ours, 1 << 16).decode()
    finally:
        os.close(ours)
        os.close(theirs)
        card.unlink()
    assert "FLUX.1 [dev] Non-Commercial License: weights and what is trained from them" in told
    assert "Do you accept this licence? [y/N]:" in told
    assert (tmp_path / "config" / "cinema" / "licences.json").exists() == (code == 0)


def test_the_doctor_tells_of_parts_that_take_turns(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model / "keyframes"
    itemsize = runtime.number_type(runtime.device()).itemsize
    whole = sum(component_bytes(folder, read_contents(folder, "keyframes"), itemsize, "none").values())
    for share, state in ((2.0, "ok"), (0.95, "warn"), (0.05, "missing")):
        for module in ("room", "thrift"):
            monkeypatch.setattr(
                f"cinema_cli.models.{module}.device_memory", lambda where, share=share: int(share * whole)
            )
        ran = CliRunner().invoke(app, ["doctor", "--model", str(model), "--json"])
        found = {finding["name"]: finding for finding in json.loads(ran.stdout)["findings"]}
        assert found["keyframes: room"]["state"] == state
        assert ("offload=sequential" in found["keyframes: room"]["advice"]) == (state == "warn")
        assert ("--set quantise" in found["keyframes: room"]["advice"]) == (state == "missing")
