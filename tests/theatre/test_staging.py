import pytest

from cinema_cli.theatre.staging import Acting, ShotDescription, stage
from cinema_cli.theatre.world import SETS, Puppet

MIRA = Puppet("Mira", "red", "blue", "pointed", "tan", "tall")
OTTO = Puppet("Otto", "green", "yellow", "round", "dark", "short")
ADA = Puppet("Ada", "pink", "white", "tall", "pale", "tall")


@pytest.mark.parametrize(
    ("place", "name", "note"),
    [
        ("the woods", "forest", None),
        ("the forest", "forest", None),
        ("an old library by the sea", "castle", "a library is staged as the castle"),
        ("the moon", "space", "the moon is staged as outer space"),
        ("the fields", "farm", "fields are staged as the farm"),
        ("home", "kitchen", "home is staged as the kitchen"),
        ("Paris", "city", "Paris is staged as the city"),
        ("the bus", "city", "a bus is staged as the city"),
        ("Mars", "space", "Mars is staged as outer space"),
        ("the qwzx", "theatre", "“the qwzx” is staged as the theatre"),
    ],
)
def test_a_place_is_staged_as_the_nearest_set_and_said(place: str, name: str, note: str | None) -> None:
    staged, notes = stage(ShotDescription(place))
    assert staged.place.set == name
    assert notes == ([note] if note else [])


def test_the_same_place_has_the_same_layout_and_another_has_another() -> None:
    library, again = (stage(ShotDescription(words))[0].place for words in ("the library", "a dusty library"))
    tower = stage(ShotDescription("the tower"))[0].place
    assert library == again
    assert tower.set == library.set
    assert tower.layout != library.layout


def test_other_words_for_a_set_are_the_same_place() -> None:
    assert stage(ShotDescription("the woods"))[0].place == stage(ShotDescription("the forest"))[0].place


def test_the_seed_varies_layouts() -> None:
    assert len({stage(ShotDescription("the woods"), seed)[0].place.layout for seed in range(10)}) == 10


@pytest.mark.parametrize("name", SETS)
def test_every_set_is_staged_as_itself(name: str) -> None:
    staged, notes = stage(ShotDescription(f"the {name}"))
    assert staged.place.set == name
    assert notes == []


def test_a_third_person_is_left_out_and_said() -> None:
    acting = (Acting(MIRA), Acting(OTTO), Acting(ADA))
    staged, notes = stage(ShotDescription("the farm", acting=acting))
    assert [figure.puppet.name for figure in staged.figures] == ["Mira", "Otto"]
    assert notes == ["at most two puppets share a frame: Mira and Otto are shown, Ada not"]


def test_what_a_puppet_cannot_do_is_shown_by_the_nearest_and_said() -> None:
    staged, notes = stage(ShotDescription("the farm", "at dawn", acting=(Acting(MIRA, "dances"),)))
    assert staged.figures[0].action == "jumps"
    assert staged.time == "sunset"
    assert notes == ["dawn is lit as sunset", "to dance is shown as jumping"]


def test_two_figures_never_share_a_side() -> None:
    for first in (None, "left", "right"):
        for second in (None, "left", "right"):
            acting = (Acting(MIRA, position=first), Acting(OTTO, position=second))
            staged, _ = stage(ShotDescription("the farm", acting=acting))
            assert {figure.position for figure in staged.figures} == {"left", "right"}
