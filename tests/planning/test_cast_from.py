"""``plan_film`` with people of another film: real files, tiny random models."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinema_cli.errors import InputError, Interrupted
from cinema_cli.files import sha256_file
from cinema_cli.planning.board import PREVIOUS_NAME
from cinema_cli.planning.plan import PlanResult, plan_film
from cinema_cli.planning.records import PlanRecord
from cinema_cli.progress import Progress
from cinema_cli.storyboard import Storyboard
from guest_films import MIRA, guest_film
from invited_films import IDS, STORY, planner, saw
from planned_films import StopsAt, changed, configured, pictures, written
from tiny_models import build_tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return guest_film(tmp_path / "film1")


@pytest.fixture
def story(tmp_path: Path) -> Path:
    return written(tmp_path, STORY)


@pytest.fixture
def plan(story: Path, model: Path) -> Callable[..., PlanResult]:
    return planner(story, model)


def test_a_film_is_whole_without_the_one_whose_people_came(
    other: Path, story: Path, plan: Callable[..., PlanResult]
) -> None:
    made = plan(cast_from=(str(other),))
    film = story.with_name("film2")
    assert (made.drawn, made.notes[0]) == (
        4,
        "<Mira> comes from The Lamp Keeper, with the picture of its shot 0001",
    )
    board = Storyboard.load(film)
    mira, tom = board.cast
    assert (mira.name, mira.look, tom.name, tom.portrait) == ("Mira", MIRA, "Tom", None)
    assert mira.portrait is not None
    assert (film / mira.portrait.picture).read_bytes() == (other / "keyframes" / "0001.png").read_bytes()
    assert MIRA in board.shots[1].caption
    assert MIRA not in board.shots[3].caption  # told once
    assert [saw(film, id) for id in IDS] == [
        [],
        [("Mira", "0001"), (None, "0001")],
        [(None, "0001"), (None, "0002")],
        [("Mira", "0001"), (None, "0001"), (None, "0002"), (None, "0003")],
    ]
    portrait = board.shots[3].context[0]
    assert (portrait.film, portrait.why, portrait.short_side_tokens) == ("The Lamp Keeper", "pin", 2)
    assert portrait.picture_sha256 == mira.portrait.picture_sha256
    assert not [note for note in made.notes if "earlier pictures" in note]  # 0001 of film1 is none of ours
    before, files = pictures(film), (film / "storyboard.json").read_bytes()
    assert plan(refresh=True).drawn == 0
    assert plan(cast_from=(str(other / "storyboard.json"),)).drawn == 0
    shutil.rmtree(other)
    assert (plan().drawn, plan(film).drawn, plan().notes) == (0, 0, made.notes)
    assert (film / "storyboard.json").read_bytes() == files
    with pytest.raises(InputError, match="leave the option out there"):
        plan(cast_from=(str(other),))
    made = plan(film, redo=("4",))
    assert (made.drawn, changed(film, before)) == (1, ["0004"])
    assert saw(film, "0004")[0] == ("Mira", "0001")
    sheet = made.contact_sheet.read_text(encoding="utf-8")
    assert "portrait from The Lamp Keeper, shot 0001" in sheet
    assert "portrait of Mira · The Lamp Keeper, shot 0001 · 2 tokens" in sheet


def test_a_portrait_changes_the_pictures_of_its_person_and_no_others(
    other: Path, story: Path, plan: Callable[..., PlanResult]
) -> None:
    plan(cast_from=(str(other),))
    film = story.with_name("film2")
    board = Storyboard.load(film).with_shot("0003", forbid=("0002", "0004"))
    board.save(film)
    plan(film, redo=("3",))  # with a memory that holds no picture of hers
    drawn = Storyboard.load(film)
    without = Path(shutil.copytree(film, story.with_name("without")))
    shots = [
        shot.model_copy(update={"keyframe": None, "keyframe_made_with": None, "context": ()})
        for shot in drawn.shots
    ]
    cast = [member.model_copy(update={"portrait": None}) for member in drawn.cast]
    drawn.model_copy(update={"shots": tuple(shots), "cast": tuple(cast)}).save(without)
    shutil.rmtree(without / "keyframes")
    assert plan(without, mode="extend").drawn == 4
    assert [shot.seed for shot in Storyboard.load(without).shots] == [shot.seed for shot in drawn.shots]
    assert changed(without, pictures(film)) == ["0002", "0004"]


def test_another_portrait_makes_the_pictures_of_its_person_stale(
    other: Path, story: Path, plan: Callable[..., PlanResult]
) -> None:
    plan(cast_from=(str(other),))
    film = story.with_name("film2")
    before = pictures(film)
    # A person puts a picture of their own in its place, of another size.
    Image.effect_noise((100, 50), 90).convert("RGB").save(film / "cast" / "Mira.png")
    made = plan(cast_from=(str(other),))
    assert (made.drawn, changed(film, before)) == (2, ["0002", "0004"])
    assert "drawn beside earlier pictures of 0002: 0003; --refresh draws them anew" in made.notes
    assert Storyboard.load(film).shot("0002").context[0].picture_sha256 == sha256_file(
        film / "cast" / "Mira.png"
    )
    # The other film has another picture of her: planned anew, with the same shots.
    Image.fromarray(np.full((32, 64, 3), 90, dtype=np.uint8)).save(other / "keyframes" / "0001.png")
    before = pictures(film)
    made = plan(cast_from=(str(other),))
    assert (made.drawn, changed(film, before)) == (2, ["0002", "0004"])
    assert made.notes[0] == f"planned anew; the storyboard as it was before is in {PREVIOUS_NAME}"
    # By words alone.
    board = Storyboard.load(film)
    cast = tuple(member.model_copy(update={"portrait": None}) for member in board.cast)
    board.model_copy(update={"cast": cast}).save(film)
    assert plan(film).drawn == 2
    assert saw(film, "0002") == [(None, "0001"), (None, "0003")]


def test_a_portrait_that_is_gone_is_told_and_taken_again(
    other: Path, story: Path, plan: Callable[..., PlanResult]
) -> None:
    plan(cast_from=(str(other),))
    film = story.with_name("film2")
    (film / "cast" / "Mira.png").unlink()
    with pytest.raises(InputError, match=r"Mira.png: the portrait of <Mira> was wanted, but there is no"):
        plan(film)
    assert plan(cast_from=(str(other),)).drawn == 0
    assert (film / "cast" / "Mira.png").is_file()


def test_a_killed_command_goes_on_without_the_other_film(
    other: Path, story: Path, plan: Callable[..., PlanResult]
) -> None:
    with pytest.raises(Interrupted, match=r"^2 keyframes were drawn"):
        plan(cast_from=(str(other),), progress=StopsAt(3))
    shutil.rmtree(other)
    assert (plan().drawn, saw(story.with_name("film2"), "0004")[0]) == (2, ("Mira", "0001"))


def test_a_changed_story_keeps_its_guests(other: Path, story: Path, plan: Callable[..., PlanResult]) -> None:
    plan(cast_from=(str(other),))
    film = story.with_name("film2")
    shutil.rmtree(other)
    story.write_text(STORY + "\nMira met Tobias in the cave at night in a white coat.\n")
    plan()
    board = Storyboard.load(film)
    assert [(member.name, member.portrait is not None) for member in board.cast] == [
        ("Mira", True),
        ("Tom", False),
        ("Tobias", False),
    ]
    story.write_text("Tom waved at the castle.")
    plan()
    record = PlanRecord.load(film)
    assert record is not None
    assert record.guests == ()
    assert [member.name for member in Storyboard.load(film).cast] == ["Tom"]


def test_what_continues_the_film_remembers_portraits(
    other: Path, story: Path, plan: Callable[..., PlanResult], model: Path
) -> None:
    plan(cast_from=(str(other),))
    film, more = story.with_name("film2"), story.with_name("more.txt")
    more.write_text("Mira slept in the cave.")
    config = configured(model)
    assert plan_film(film, None, config, Progress(quiet=True), more).drawn == 1
    assert saw(film, "0005")[0] == ("Mira", "0001")
    with pytest.raises(InputError, match="--cast-from: a story that begins a film was wanted"):
        plan(film, cast_from=(str(other),))
