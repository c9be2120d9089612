import json
from pathlib import Path

import pytest

from cinema_cli.errors import InputError
from cinema_cli.models.architecture import refuse_editors
from cinema_cli.models.contents import EDITORS
from cinema_cli.models.resolve import TOY, model_folder
from cinema_cli.models.thrift import ThriftConfig
from cinema_cli.planning.artists.artist import REFERENCES, Manner, as_it_works, manner_of, refuse_thrift
from cinema_cli.planning.artists.editor import FAMILIES
from cinema_cli.planning.desk import DeskConfig


def manner(folder: Path, pipeline: str, adapter: str | None = None, **config: object) -> Manner:
    (folder / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    return manner_of(folder, DeskConfig(model=str(folder), **config), adapter)


def test_every_editor_is_known_everywhere() -> None:
    assert EDITORS.keys() == REFERENCES.keys() == FAMILIES.keys()


def test_stock_flux_is_told_of_and_told_every_look(tmp_path: Path) -> None:
    found = manner(tmp_path, "FluxPipeline")
    assert found.mode.startswith("no fine-tune: stock FLUX.1 in the paper's joint attention")
    assert found.backend is None
    assert as_it_works(DeskConfig(repeat_looks=False), found) == DeskConfig(repeat_looks=True)


def test_what_was_trained_is_the_papers(tmp_path: Path) -> None:
    assert manner(tmp_path, "FluxPipeline", adapter="adapter").mode.startswith("the paper's")
    (tmp_path / "cinema.json").write_text("{}")
    found = manner(tmp_path, "FluxPipeline")
    assert found.mode.startswith("the paper's")
    assert as_it_works(DeskConfig(repeat_looks=False), found) == DeskConfig(repeat_looks=False)
    toy = manner_of(model_folder(TOY, "keyframes"), DeskConfig(), None)
    assert toy.mode.startswith("the paper's")


def test_an_editor_sees_a_few_whole_frames(tmp_path: Path) -> None:
    for pipeline, most in REFERENCES.items():
        found = manner(tmp_path, pipeline)
        assert found.backend == pipeline
        config = as_it_works(DeskConfig(), found)
        assert (config.mode, config.memory.capacity((4, 8))) == ("extend", most)
        assert config.memory.layout(most, (4, 8)) == ((4, 8),) * most
    assert as_it_works(DeskConfig(), manner(tmp_path, pipeline, references=2)).memory.frames == 2


@pytest.mark.parametrize("wish", [{"mode": "joint"}, {"at_once": 2}])
def test_an_editor_draws_nothing_together(tmp_path: Path, wish: dict[str, object]) -> None:
    with pytest.raises(InputError, match="draws frame by frame"):
        as_it_works(DeskConfig(**wish), manner(tmp_path, "FluxKontextPipeline"))


def test_an_editor_has_no_text_encoder_of_ours(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="clip or recency was wanted for Flux2Pipeline, found t5"):
        as_it_works(DeskConfig(retrieval={"kind": "t5"}), manner(tmp_path, "Flux2Pipeline"))


@pytest.mark.parametrize("wish", [{"offload": "sequential"}, {"quantise": "nf4"}])
def test_what_an_editor_cannot_save_is_refused(tmp_path: Path, wish: dict[str, object]) -> None:
    (name,) = wish
    with pytest.raises(InputError, match=f"{name}: .* was wanted for FluxKontextPipeline"):
        refuse_thrift(ThriftConfig(**wish), manner(tmp_path, "FluxKontextPipeline"))
    refuse_thrift(ThriftConfig(**wish), manner(tmp_path, "FluxPipeline"))


@pytest.mark.parametrize("wish", [{}, {"offload": "model"}, {"offload": "group"}, {"tile": True}])
def test_what_an_editor_can_save_is_let_through(tmp_path: Path, wish: dict[str, object]) -> None:
    refuse_thrift(ThriftConfig(**wish), manner(tmp_path, "QwenImageEditPlusPipeline"))


def test_an_editor_is_not_trained(tmp_path: Path) -> None:
    manner(tmp_path, "QwenImageEditPlusPipeline")
    with pytest.raises(InputError, match="QwenImageEditPlusPipeline, which draws as it is"):
        refuse_editors(tmp_path)
