"""What a plan would cost, against what it then does."""

from pathlib import Path

import pytest
import torch

from cinema_cli import runtime
from cinema_cli.context.goldenmem import GoldenMem
from cinema_cli.errors import InputError
from cinema_cli.models.cost import FluxCost, Pairs, Window
from cinema_cli.planning.estimate import estimate_plan
from cinema_cli.planning.plan import PlanConfig, plan_film
from cinema_cli.progress import Progress
from tiny_models import FRAME_SIZE, build_tiny_models

STORY = "Mira, a girl in a red coat, walked along the harbour. Tom waved at the castle. Mira jumped."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(STORY, encoding="utf-8")
    return path


def configured(model: Path, **changes: object) -> PlanConfig:
    small = {"frame_size": FRAME_SIZE, "steps": 2, "text_length": 64, "window": 4, "shots": 4}
    return PlanConfig(**{"model": str(model), **small, "memory": {"groups": 2, "frames": 1}, **changes})


def test_nothing_is_written_and_the_numbers_are_those_of_the_cost_model(story: Path, model: Path) -> None:
    made = estimate_plan(story, story.parent / "film", configured(model, mode="extend"))
    assert not (story.parent / "film").exists()
    assert (made.shots, made.drawn, made.windows, made.mode) == (4, 4, 4, "extend")
    assert (made.image_tokens, made.text_tokens) == (32, 64)
    assert made.memory == ((1, (2, 4)), (1, (1, 2)))
    cost = FluxCost(1, 1, 12, 2, 16, 12, 16, False)
    new, small, smaller = Pairs(1, 64, 32), Pairs(1, 64, 8), Pairs(1, 64, 2)
    windows = [Window((new,)), Window((new,), (small,)), *[Window((new,), (small, smaller))] * 2]
    assert made.film_pflop == cost.film(windows, 2) / 1e15
    assert made.step_tflop == cost.extension([new], [small, smaller]) / 1e12
    number = runtime.number_type(runtime.device())
    assert made.memory_bytes == cost.memory_bytes([small, smaller], number.itemsize)
    assert made.peak_bytes == cost.peak_bytes(windows[-1], number.itemsize)
    assert made.device == f"CPU, {torch.get_num_threads()} threads"
    assert made.seconds > 0
    guided = estimate_plan(story, story.parent / "film", configured(model, mode="extend", guidance=2.0))
    assert guided.film_pflop == 2 * made.film_pflop
    assert guided.memory_bytes == 2 * made.memory_bytes
    early = configured(model, mode="joint", guidance=2.0, steps=4, shift=1.0, guidance_above=0.5)
    whole = estimate_plan(story, story.parent / "film", early.model_copy(update={"guidance_above": 0.0}))
    half = estimate_plan(story, story.parent / "film", early)  # levels 1, 0.75, 0.5 and 0.25: two above
    assert half.film_pflop / whole.film_pflop == pytest.approx(6 / 8)


def test_all_together_is_one_drawing_without_memory(story: Path, model: Path) -> None:
    made = estimate_plan(story, story.parent / "film", configured(model))
    assert (made.windows, made.mode, made.memory, made.memory_bytes) == (1, "joint", (), 0)


def test_only_what_would_be_drawn_is_counted(story: Path, model: Path) -> None:
    config = configured(model)
    film = plan_film(story, story.parent / "film", config, Progress(quiet=True)).storyboard
    assert estimate_plan(story, film.parent, config).drawn == 0
    assert estimate_plan(story, film.parent, config).film_pflop == 0
    redo = estimate_plan(film, None, config.model_copy(update={"redo": ("2", "3")}))
    assert (redo.drawn, redo.windows, redo.mode) == (2, 2, "extend")
    before = film.read_bytes()
    more = story.with_name("more.txt")
    more.write_text("Tom slept.", encoding="utf-8")
    assert estimate_plan(film, None, config.model_copy(update={"shots": None}), more).drawn == 1
    assert film.read_bytes() == before


def test_a_stock_model_is_foreseen_with_every_look(story: Path, model: Path) -> None:
    config = configured(model, repeat_looks=False)
    film = plan_film(story, story.parent / "film", config, Progress(quiet=True)).storyboard
    assert estimate_plan(film, None, config).drawn == 0


def test_what_cannot_be_is_told_before(story: Path, model: Path) -> None:
    with pytest.raises(InputError, match="shrinks to nothing in group 3"):
        estimate_plan(story, None, configured(model, mode="extend", memory=GoldenMem(groups=3)))
    with pytest.raises(InputError, match=r"divide by 8 .* found 30 x 64"):
        estimate_plan(story, None, configured(model, frame_size=(30, 64)))
