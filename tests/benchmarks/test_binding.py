from dataclasses import replace

import pytest
import torch

from cinema_cli.models.weights import load_keyframe_models
from tiny_models import build_tiny_models


def test_exchanged_captions_have_the_same_words(script):
    module = script("binding")
    for make in (module.places, module.names):
        for example in module.collect(make, 5):
            assert example.captions != example.exchanged
            for caption, other in zip(example.captions, example.exchanged, strict=True):
                told = "in a" in caption or "in an" in caption
                assert told or caption == other, "words that tell no look stay as they are"
            words, others = (
                sorted(" ".join(c).translate(str.maketrans(",.", "  ")).split())
                for c in (example.captions, example.exchanged)
            )
            assert words == others


def test_a_judged_frame_only_names_its_puppet(script):
    for example in script("binding").collect(script("binding").names, 5):
        (figure,) = example.shots[-1].figures
        assert f"<{figure.puppet.name}>" in example.captions[-1]
        assert figure.puppet.coat not in example.captions[-1]


def test_what_is_not_exchanged_costs_nothing(script, tmp_path):
    module = script("binding")
    models = load_keyframe_models(
        build_tiny_models(tmp_path) / "keyframes", 96, torch.device("cpu"), torch.float32
    )
    for make in (module.places, module.names):
        examples = module.collect(make, 2)
        same = [replace(example, exchanged=example.captions) for example in examples]
        for (error, more), (alike, nothing) in zip(
            module.cost_of_exchange(models, examples, module.TOGETHER),
            module.cost_of_exchange(models, same, module.TOGETHER),
            strict=True,
        ):
            assert error == pytest.approx(alike)
            assert nothing == 0
            assert more != 0
