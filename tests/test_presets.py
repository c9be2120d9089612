"""Every preset that is shipped is a config, section by section."""

import pytest

from cinema_cli.config import build, load_preset, preset_names
from cinema_cli.planning.plan import PlanConfig
from cinema_cli.rendering.video import ClipConfig
from cinema_cli.training.keyframe_config import KeyframeTraining
from cinema_cli.training.video_config import VideoTraining

SECTIONS = {
    "train_keyframes": KeyframeTraining,
    "train_video": VideoTraining,
    "plan": PlanConfig,
    "render": ClipConfig,
}


@pytest.mark.parametrize("name", preset_names())
def test_every_shipped_preset_is_a_config_of_every_section(name):
    sections = load_preset(name)
    assert sections.keys() <= SECTIONS.keys()
    for section, data in sections.items():
        build(SECTIONS[section], data, f"preset {name}, {section}")
