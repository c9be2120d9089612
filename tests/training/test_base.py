import json

import pytest

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.acceptance import accept
from cinema_cli.models.licences import FLUX_DEV
from cinema_cli.training.base import base_of, note_base, refuse_a_leap, trained_pairs
from tiny_models import build_tiny_models


@pytest.fixture
def model(tmp_path):
    return build_tiny_models(tmp_path / "model")


def test_a_run_remembers_the_model_it_started_from(tmp_path, model):
    run = tmp_path / "run"
    assert base_of(run, str(model)) == model / "keyframes"
    with pytest.raises(MissingError):  # not yet: nothing was trained
        base_of(run, None)
    note_base(run, str(model))
    assert base_of(run, None) == model / "keyframes"
    with pytest.raises(InputError, match=r"this run started from .*model, found --init toy\. Take another"):
        base_of(run, "toy")
    assert json.loads((run / "base.json").read_text()) == {"keyframes": str(model)}
    note_base(run, str(model), "video")
    assert base_of(run, None) == model / "keyframes"
    assert base_of(run, None, "video") == model / "video"
    (run / "base.json").write_text("[]")
    with pytest.raises(InputError, match="other data"):
        base_of(run, None)


def test_a_model_is_checked_before_a_run_starts_from_it(tmp_path, model, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    card = model / "keyframes" / "README.md"
    card.write_text("---\nbase_model: black-forest-labs/FLUX.1-dev\n---\n")
    with pytest.raises(MissingError, match=r"is under the FLUX\.1 \[dev\] Non-Commercial License"):
        base_of(tmp_path / "run", str(model))
    accept(str(model), FLUX_DEV)
    assert base_of(tmp_path / "run", str(model)) == model / "keyframes"
    (model / "video" / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(MissingError, match="weights were wanted, found none"):
        base_of(tmp_path / "run", str(model), "video")
    with pytest.raises(InputError, match=r"found a model that draws keyframes: it is for cinema plan"):
        base_of(tmp_path / "run", str(model / "keyframes"), "video")


def test_without_a_model_the_frozen_parts_lie_in_the_run(tmp_path):
    with pytest.raises(MissingError, match=r"run/keyframes, but there is no .*vae.*--init toy"):
        base_of(tmp_path / "run", None)


def test_a_model_tells_on_how_many_pairs_it_was_trained(model):
    base = model / "keyframes"
    assert trained_pairs(base) == 1
    (base / "cinema.json").write_text(json.dumps({"pairs": 16}))
    assert trained_pairs(base) == 16
    (base / "cinema.json").write_text(json.dumps({"pairs": "many"}))
    with pytest.raises(InputError, match="a number of pairs was wanted, found 'many'"):
        trained_pairs(base)


def test_long_sequences_straight_from_a_base_are_refused():
    refuse_a_leap(8, None, 1, anyway=False)
    refuse_a_leap(8, 4, 1, anyway=False)
    refuse_a_leap(16, 8, 8, anyway=False)
    refuse_a_leap(16, 8, 1, anyway=True)
    with pytest.raises(InputError, match=r"Stage 16 goes on from stage 8 .* trained on 1 pair\..*Fig\. 7"):
        refuse_a_leap(16, 8, 1, anyway=False)
    with pytest.raises(InputError, match="trained on 8 pairs"):
        refuse_a_leap(32, 16, 8, anyway=False)
