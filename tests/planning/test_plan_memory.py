"""``plan_film`` on real files: what shots remember, and films that are extended, continued or resumed."""

import shutil
from pathlib import Path

import pytest

from cinema_cli.errors import InputError, Interrupted, MissingError
from cinema_cli.storyboard import Storyboard
from planned_films import ALL, StopsAt, again, changed, edit, pictures, plan, saw, written
from tiny_models import build_tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def story(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture(scope="module")
def drawn(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story's film, planned once."""
    story = written(tmp_path_factory.mktemp("drawn"))
    plan(story, model)
    return story.with_name("film")


@pytest.fixture
def film(story: Path, drawn: Path) -> Path:
    """That film, beside the story."""
    return Path(shutil.copytree(drawn, story.with_name("film")))


def test_a_long_film_is_extended_and_remembers_no_more_than_fits(story: Path, model: Path) -> None:
    made = plan(story, model, shots=12, steps=1)
    board = Storyboard.load(made.storyboard)
    assert made.drawn == 12
    assert [len(shot.context) for shot in board.shots] == [0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6]
    order = [shot.id for shot in board.shots]
    for place, shot in enumerate(board.shots):
        places = [order.index(each.shot) for each in shot.context]
        assert places == sorted(places)
        assert all(other < place for other in places)
    sizes = [each.short_side_tokens for each in board.shots[-1].context]
    assert sizes == [1, 1, 1, 2, 2, 2]  # the newest are remembered largest
    assert "2 tokens" in made.contact_sheet.read_text(encoding="utf-8")


def test_at_once_draws_several_beside_the_same_memory(story: Path, model: Path) -> None:
    plan(story, model, shots=7, steps=1, mode="extend", at_once=3)
    shots = Storyboard.load(story.parent / "film").shots
    assert [len(shot.context) for shot in shots[:3]] == [0, 0, 0]
    assert shots[3].context == shots[4].context == shots[5].context != ()
    assert "0004" in [each.shot for each in shots[6].context]


def test_pinned_shots_are_remembered_and_forbidden_ones_are_not(story: Path, model: Path) -> None:
    film = story.parent / "film"
    plan(story, model, shots=6, steps=1)
    edit(film, "0006", pin=("0001",), forbid=("0004", "0005"))
    again(film, model, redo=("6",), steps=1, memory={"groups": 1, "frames": 2})
    shot = Storyboard.load(film).shot("0006")
    assert [each.why for each in shot.context if each.shot == "0001"] == ["pin"]
    assert not {"0004", "0005"} & {each.shot for each in shot.context}
    assert len(shot.context) == 2
    edit(film, "0006", pin=("0001", "0002", "0003"), forbid=())
    with pytest.raises(InputError, match=r"shot 0006: pin: at most 2 shots fit the memory, found 3; 0003"):
        again(film, model, redo=("6",), steps=1, memory={"groups": 1, "frames": 2})


def test_t5_and_recency_can_choose_instead(story: Path, film: Path, model: Path) -> None:
    for kind, why in (("t5", "score"), ("recency", "recent")):
        again(film, model, redo=("3",), retrieval={"kind": kind, **ALL})
        context = Storyboard.load(film).shot("0003").context
        assert [(each.shot, each.by, each.why) for each in context] == [
            ("0001", kind, why),
            ("0002", kind, why),
        ]


def test_without_clip_the_way_out_is_told(story: Path, film: Path, model: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(model, tmp_path / "other"))
    shutil.rmtree(other / "clip")
    with pytest.raises(MissingError, match=r"CLIP .*retrieval\.kind=t5"):
        again(film, other, redo=("3",))
    again(film, other, redo=("3",), retrieval={"kind": "t5"})


def test_a_picture_drawn_anew_is_told_to_those_who_remember_it(story: Path, film: Path, model: Path) -> None:
    again(film, model, redo=("2",))
    before = pictures(film)
    notes = again(film, model, redo=("3",)).notes
    assert saw(film, "0002") == ["0001", "0003"]
    assert notes[-1] == "drawn beside earlier pictures of 0003: 0002; --refresh draws them anew"
    assert changed(film, before) == ["0003"]
    assert again(film, model).drawn == 0
    # 0003 remembers 0002, which remembers what 0003 was: both are drawn once more.
    refreshed = again(film, model, refresh=True)
    assert (refreshed.drawn, refreshed.notes) == (2, ())
    assert saw(film, "0002") == ["0001"]
    assert saw(film, "0003") == ["0001", "0002"]
    assert again(film, model, refresh=True).drawn == 0


def test_a_film_is_continued(story: Path, film: Path, model: Path) -> None:
    before = pictures(film)
    more = story.with_name("more.txt")
    more.write_text("Mira slept in the castle. Tom waved at her in the snow.", encoding="utf-8")
    made = again(film, model, more)
    board = Storyboard.load(film)
    assert (made.shots, made.drawn) == (5, 2)
    assert changed(film, before) == ["0004", "0005"]
    assert {"<Mira>", "<Tom>"} == {
        word for shot in board.shots[3:] for word in ("<Mira>", "<Tom>") if word in shot.caption
    }
    assert saw(film, "0005") == ["0001", "0002", "0003", "0004"]
    assert again(film, model, more).drawn == 0
    assert plan(story, model).drawn == 0
    assert len(Storyboard.load(film).shots) == 5


def test_a_stop_between_windows_is_resumed(story: Path, model: Path) -> None:
    with pytest.raises(Interrupted, match="2 keyframes were drawn"):
        plan(story, model, StopsAt(4), shots=6, mode="extend")
    board = Storyboard.load(story.parent / "film")
    assert [shot.keyframe is not None for shot in board.shots] == [True] * 2 + [False] * 4
    rest = plan(story, model, mode="extend")
    assert (rest.drawn, rest.skipped) == (4, 2)
    film = rest.storyboard.parent
    resumed = pictures(film)
    film.rename(film.with_name("resumed"))
    plan(story, model, shots=6, mode="extend")
    assert pictures(film) == resumed
