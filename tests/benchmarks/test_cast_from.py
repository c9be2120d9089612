from itertools import islice

import torch

from cinema_cli.models.weights import load_keyframe_models
from cinema_cli.planning.desk import DeskConfig
from cinema_cli.planning.keyframes import KeyframeArtist
from tiny_models import build_tiny_models


def test_pairs_show_one_puppet_alone_in_two_places(script):
    for _, before, staged in islice(script("cast_from").pairs(), 5):
        assert [figure.puppet for figure in before.figures] == [figure.puppet for figure in staged.figures]
        assert len(staged.figures) == 1
        assert before.place.set != staged.place.set


def test_every_arm_is_drawn_and_read(script, tmp_path):
    module = script("cast_from")
    models = load_keyframe_models(
        build_tiny_models(tmp_path) / "keyframes", 96, torch.device("cpu"), torch.float32
    )
    config = DeskConfig(steps=1, text_length=96)
    artist = KeyframeArtist(models, (128, 256), config)
    pair = next(module.pairs())
    assert all(
        module.drawn_right(artist, config, *pair, arm) <= {"coat", "hat", "place"} for arm in module.ARMS
    )
