import json

import pytest
import torch
from PIL import Image

from cinema_cli.config import build, load_preset, with_overrides
from cinema_cli.training.keyframe_config import KeyframeTraining
from tiny_models import build_tiny_models


def test_every_arm_is_a_config_of_as_many_frames_a_step(script):
    module = script("ablations")
    frames = {}
    for name, arm in module.ARMS.items():
        numbers = with_overrides(load_preset("toy")["train_keyframes"], module.settings(arm))
        config = build(KeyframeTraining, numbers, name)
        assert all(config.stages[pairs].sequences * pairs == module.FRAMES for pairs, _ in arm.stages)
        frames[arm.measured] = {*frames.get(arm.measured, ()), sum(steps for _, steps in arm.stages)}
    assert all(len(steps) == 1 for steps in frames.values())  # arms that are compared are as long


def test_loss_beside_memory_tells_weights_and_levels_apart(script, tmp_path, monkeypatch):
    module = script("ablations")
    monkeypatch.setattr(module, "SHOTS", 8)
    monkeypatch.setattr(module, "SEQUENCES", 2)
    base = build_tiny_models(tmp_path / "model")
    judge = module.Judge(base, tmp_path / "out")
    judge.config = judge.config.model_copy(update={"movies": 1})
    weights = base / "keyframes" / "transformer"
    clean, noisy = (judge.beside_memory(weights, level) for level in (0.0, 0.75))
    assert clean != noisy
    assert clean == judge.beside_memory(weights, 0.0)
    from cinema_cli.models.keyframes import InterleavedFlux

    model = InterleavedFlux.from_pretrained(weights)
    with torch.no_grad():
        model.proj_out.weight.add_(0.1)
    model.save_pretrained(tmp_path / "other")
    assert judge.beside_memory(tmp_path / "other", 0.0) != clean


def test_curves_are_drawn_and_told(script, tmp_path):
    module = script("ablation_curves")
    memory = {f"memory at {level}": 1.0 - level for level in module.LEVELS}
    losses = {
        "progressive": {"0": {"16 pairs": 1.0}, "50": {"16 pairs": 0.5}},
        "strided": {"0": {"consecutive": 1.0, "strided": 1.1}, "300": {"consecutive": 0.4, "strided": 0.3}},
        "band-2": {"0": memory, "250": memory},
    }
    assert "| strided | 300 | consecutive: 0.4000, strided: 0.3000 |" in module.table(losses, losses)
    module.draw(json.loads(json.dumps(losses)), tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 900


def test_a_wrong_arm_is_refused(script, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["ablations.py", "--base", "x", "--only", "none-such"])
    with pytest.raises(SystemExit):
        script("ablations").main()
    assert "invalid choice" in capsys.readouterr().err
