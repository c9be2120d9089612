from dataclasses import replace

import pytest
import torch

from cinema_cli.models.weights import load_keyframe_models
from tiny_models import build_tiny_models


def test_exchanged_captions_have_the_same_words(script):
    module = script("binding")
    for make in (module.places, module.names):
        for example in module.collect(make, 5):
            assert example.captions != example.other_captions
            assert example.shots == example.other_shots
            for caption, other in zip(example.captions, example.other_captions, strict=True):
                told = "in a" in caption or "in an" in caption
                assert told or caption == other, "words that tell no look stay as they are"
            words, others = (
                sorted(" ".join(c).translate(str.maketrans(",.", "  ")).split())
                for c in (example.captions, example.other_captions)
            )
            assert words == others


def test_a_judged_frame_only_names_its_puppet(script):
    for example in script("binding").collect(script("binding").names, 5):
        (figure,) = example.shots[-1].figures
        assert f"<{figure.puppet.name}>" in example.captions[-1]
        assert figure.puppet.coat not in example.captions[-1]


def test_scenery_returns_and_only_what_was_seen_of_it_before_is_exchanged(script):
    for example in script("binding").collect(script("binding").scenery, 5):
        first, *others, again = example.shots
        assert (first.place, first.time, first.size) == (again.place, again.time, again.size)
        moved, *same = example.other_shots
        assert same == [*others, again]
        assert moved.place.set == first.place.set
        assert moved.place.layout != first.place.layout
        assert example.captions == example.other_captions


def test_what_is_not_exchanged_costs_nothing(script, tmp_path):
    module = script("binding")
    models = load_keyframe_models(
        build_tiny_models(tmp_path) / "keyframes", 96, torch.device("cpu"), torch.float32
    )
    for make in (module.places, module.names, module.scenery):
        examples = module.collect(make, 2)
        same = [replace(e, other_shots=e.shots, other_captions=e.captions) for e in examples]
        for (error, more), (alike, nothing) in zip(
            module.cost_of_exchange(models, examples, module.TOGETHER),
            module.cost_of_exchange(models, same, module.TOGETHER),
            strict=True,
        ):
            assert error == pytest.approx(alike)
            assert nothing == 0
            assert more != 0
