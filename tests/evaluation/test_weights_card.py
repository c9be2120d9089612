import json
from dataclasses import replace
from pathlib import Path

import pytest

from cinema_cli.config import load_preset
from cinema_cli.errors import InputError, MissingError
from cinema_cli.evaluation import clip_trials, keyframe_trials, weights_card
from cinema_cli.evaluation.weights_card import CardConfig, Part, as_drawn, chosen, measure_weights
from cinema_cli.progress import Progress
from tiny_models import build_tiny_models

TRIALS = ("told-once", "shuffled", "ceiling", "clips")


@pytest.fixture
def small(monkeypatch):
    """Movies of few shots, and a glance at the reader."""
    monkeypatch.setattr(weights_card, "READER_FRAMES", 2)
    monkeypatch.setattr(keyframe_trials, "PAIRS", 4)
    monkeypatch.setattr(clip_trials, "SHOTS", 2)


def measured(config: CardConfig, out: Path) -> dict[str, dict[str, object]]:
    """The rows that were written, by figure."""
    with Progress(quiet=True) as progress:
        card = measure_weights(config, out, progress)
    return {row["figure"]: row for row in json.loads(card.data.read_text())["rows"]}


def test_untrained_models_are_measured_and_more_movies_only_add(small, tmp_path):
    model = str(build_tiny_models(tmp_path / "model"))
    config = CardConfig(weights=model, sequences=1, steps=1, trials=TRIALS)
    out = tmp_path / "out"
    rows = measured(config, out)
    assert rows["set as captioned"]["n"] == 4
    assert rows["clip: first frame against the keyframe, as decoded"]["n"] == 2
    assert rows["verb read on drawn clips (the reader itself)"]["measured"] == 100
    assert rows["image autoencoder, drawn frames"]["measured"] < 20
    assert rows["coat, the look in every caption"]["measured"] is None
    table = (out / "card.md").read_text()
    assert "| set as captioned | >= 95 % |" in table
    assert "not yet" not in table
    drawn = "steps 1, guidance 4.0, context 0.1, guidance_above 0.6; "  # as the preset draws, and renders
    assert f"Sampled (keyframes): {drawn}" in table
    assert "Sampled (video): steps 1, describe 1.0, cut_phase 0.5, guidance 3.0; " in table
    lines = (out / "card.jsonl").read_text()
    assert measured(config, out) == rows
    assert (out / "card.jsonl").read_text() == lines
    more = config.model_copy(update={"sequences": 2, "part": "keyframes", "trials": ("ceiling",)})
    assert measured(more, out)["image autoencoder, drawn frames"]["n"] == 8
    after = (out / "card.jsonl").read_text()
    assert after.startswith(lines)
    assert len(after.splitlines()) == len(lines.splitlines()) + 1


def test_the_guidance_is_the_presets_unless_it_is_told():
    assert as_drawn(CardConfig()).guidance == load_preset("toy")["plan"]["guidance"] != 1
    assert as_drawn(CardConfig(guidance=1)).guidance == 1


def test_an_unknown_trial_is_told():
    part = Part("keyframes", "", {"ceiling": dict, "memory": dict}, (), {})
    assert list(chosen([part], ["memory"])[0].trials) == ["memory"]
    assert chosen([part], None) == [replace(part)]
    with pytest.raises(InputError, match="some of ceiling, memory were wanted, found dream"):
        chosen([part], ["memory", "dream"])


def test_weights_that_are_not_there_are_told_in_a_sentence(small, tmp_path):
    config = CardConfig(weights=str(tmp_path), sequences=1)
    with (
        Progress(quiet=True) as progress,
        pytest.raises(MissingError, match=r"Give a folder in diffusers' layout, or a name on the hub"),
    ):
        measure_weights(config, tmp_path / "out", progress)
