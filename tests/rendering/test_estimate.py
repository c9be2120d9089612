"""What rendering would make and cost, against what it then does."""

from pathlib import Path

import pytest
import torch

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models import thrift
from cinema_cli.models.contents import read_config
from cinema_cli.models.video_cost import Shots, WanCost
from cinema_cli.progress import Progress
from cinema_cli.rendering.estimate import RenderEstimate, estimate_render
from cinema_cli.rendering.render import RenderConfig, render_film
from cinema_cli.storyboard import Storyboard
from pictured_films import make_film
from stock_models import build_stock_wan
from tiny_models import build_tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


def estimated(folder: Path, model: Path, out: Path | None = None, **changes: object) -> RenderEstimate:
    return estimate_render(folder, out, configured(model, **changes))


def configured(model: Path, **changes: object) -> RenderConfig:
    return RenderConfig(**{"model": str(model), "steps": 2, "window": 2, **changes})


def state(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_written_and_the_numbers_are_those_of_the_cost_model(model: Path, tmp_path: Path) -> None:
    film = make_film(tmp_path, ["1/2", "1/4", "1/2"])
    before = state(film)
    made = estimated(film, model)
    assert state(film) == before
    assert made.made == dict.fromkeys(("0001", "0002", "0003"), "no clip yet")
    assert (made.shots, made.windows, made.joined, made.fits) == (3, 2, True, True)
    # At 8 frames a second 4, 2 and 4 frames, so 5 of each and 2 latent ones; a token is 32 x 32 pixels.
    assert made.frames == 10
    cost = WanCost.of(read_config(model / "video" / "transformer" / "config.json"))
    full, seen = Shots(1, 160, 2, 1), Shots(1, 160, 1, 1)
    windows = [[full, full, seen], [full, seen, seen]]
    assert made.film_pflop == 2 * sum(cost.step(window) for window in windows) / 1e15
    assert made.step_tflop == cost.step(windows[0]) / 1e12
    assert made.tokens == 5
    assert made.device == f"CPU, {torch.get_num_threads()} threads"
    assert made.seconds > 0
    assert made.memory.startswith("offload none, ")


def test_it_makes_what_it_said_and_says_why(model: Path, tmp_path: Path) -> None:
    film = make_film(tmp_path, ["1/4", "1/4", "1/4"])
    made = render_film(film, None, configured(model), Progress(quiet=True))
    assert made.rendered == 3
    done = estimated(film, model)
    assert (dict(done.made), done.joined, done.film_pflop, done.tokens) == ({}, False, 0, 0)
    assert estimated(film, model, tmp_path / "other.mp4").joined
    assert dict(estimated(film, model, redo=("2",)).made) == {"0002": "asked for"}
    assert set(estimated(film, model, quantise="int8").made.values()) == {"made with other weights"}
    (film / "clips" / "0001.mp4").unlink()
    board = Storyboard.load(film).with_shot("0003", caption="Somebody waves.")
    board.save(film)
    told = estimated(film, model).made
    assert told == {
        "0001": "clips/0001.mp4 is gone",
        "0003": "its words, keyframe, seed, duration or settings changed",
    }
    assert render_film(film, None, configured(model), Progress(quiet=True)).rendered == len(told)


def test_a_stock_model_makes_shot_by_shot_and_guidance_counts_twice(tmp_path: Path) -> None:
    stock = build_stock_wan(tmp_path / "wan")
    film = make_film(tmp_path / "film", ["1/4", "1/4"])
    plain = estimated(film, stock, ends=True)
    assert plain.mode.startswith("no fine-tune: stock Wan, shot by shot")
    assert (plain.windows, plain.tokens, plain.config.window) == (2, 2, 1)
    assert estimated(film, stock, guidance=5.0).film_pflop == 2 * estimated(film, stock).film_pflop


def test_guidance_of_the_interleaved_model_counts_twice(model: Path, tmp_path: Path) -> None:
    film = make_film(tmp_path / "film", ["1/4", "1/4"])
    assert estimated(film, model, guidance=5.0).film_pflop == 2 * estimated(film, model).film_pflop


def test_what_would_fail_is_told(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"frame_size: sides that divide by 32 .* found 48 x 32"):
        estimated(make_film(tmp_path / "odd", ["1/4"], (48, 32)), model)
    film = make_film(tmp_path / "film", ["1/3"])
    with pytest.raises(InputError, match="a whole number of frames"):
        estimated(film, model)
    with pytest.raises(MissingError):
        estimated(film, tmp_path / "nowhere")
    film = make_film(tmp_path / "large", ["1/4"])
    monkeypatch.setattr(thrift, "device_memory", lambda where: 1000)
    made = estimated(film, model)
    assert not made.fits
    assert "room for " in made.memory
