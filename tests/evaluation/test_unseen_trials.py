import numpy as np
import torch
from PIL import Image

from cinema_cli.context.goldenmem import GoldenMem
from cinema_cli.evaluation import unseen_trials
from cinema_cli.evaluation.artist import Artist, true_frames
from cinema_cli.evaluation.looks import look_at_puppets, see
from cinema_cli.evaluation.unseen_trials import (
    BANDS,
    CONTEXT,
    NEW,
    photographs,
    redressed,
    unseen,
    unseen_sheet,
)
from cinema_cli.models.weights import load_keyframe_models
from cinema_cli.planning.keyframes import DrawingConfig
from cinema_cli.storyboard import tags
from cinema_cli.theatre.read_caption import told_look
from tiny_models import build_tiny_models


def test_sixteen_pictures_of_one_puppet_whose_captions_only_name_it():
    for seed in range(5):
        shots = photographs(seed)
        assert len(shots) == CONTEXT + NEW
        puppets = {figure.puppet for shot in shots for figure in shot.staged.figures}
        (puppet,) = puppets
        for shot in shots:
            assert tags(shot.caption) == (puppet.name,)
            assert told_look(shot.caption, puppet.name) is None
    assert photographs(1) == photographs(1) != photographs(2)


def test_other_clothes_are_told_and_differ():
    for shot in photographs(3):
        (before,), (after,) = shot.staged.figures, redressed(shot).staged.figures
        assert before.puppet.coat != after.puppet.coat
        assert before.puppet.hat != after.puppet.hat
        told = told_look(redressed(shot).caption, after.puppet.name) or ""
        assert f"{after.puppet.coat} coat" in told
        assert after.puppet.hat in told


def test_pictures_that_are_right_score_and_the_old_clothes_do_not():
    shots = photographs(4)
    dressed = [redressed(shot) for shot in shots]
    right = [see(shot, frame) for shot, frame in zip(dressed, true_frames(dressed), strict=True)]
    old = [see(shot, frame) for shot, frame in zip(dressed, true_frames(shots), strict=True)]
    everybody = lambda shot, figure: True  # noqa: E731
    assert np.mean(look_at_puppets(right, "x", everybody)["coat x"]) > 0.95
    assert np.mean(look_at_puppets(old, "x", everybody)["coat x"]) < 0.05


def test_every_band_and_other_clothes_are_looked_at_and_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(unseen_trials, "CONTEXT", 4)
    monkeypatch.setattr(unseen_trials, "NEW", 2)
    folder = build_tiny_models(tmp_path / "model") / "keyframes"
    models = load_keyframe_models(folder, 96, torch.device("cpu"), torch.float32)
    artist = Artist(models, DrawingConfig(steps=1), GoldenMem())
    looks = unseen(artist, 0)
    endings = [*(f"unseen {band}" for band in BANDS), "dressed"]
    assert set(looks) == {f"{look} {ending}" for look in ("coat", "hat") for ending in endings}
    assert all(len(values) == 2 for values in looks.values())
    with Image.open(unseen_sheet(artist, 0, tmp_path / "sheet.png")) as sheet:
        assert sheet.width > 2 * 200
        assert sheet.height > 7 * 100
