import random
from dataclasses import replace

import pytest

from cinema_cli.theatre.captions import canonical_caption, describe_look, write_caption, write_look
from cinema_cli.theatre.read_caption import read_caption, read_look, told_look
from cinema_cli.theatre.screenplay import random_cast, write_movie
from cinema_cli.theatre.world import Puppet, StagedShot

MIRA = Puppet("Mira", "red", "blue", "pointed", "tan", "tall", "dog")


def by_position(shot: StagedShot, layout: int) -> StagedShot:
    figures = tuple(sorted(shot.figures, key=lambda figure: figure.position))
    return replace(shot, place=replace(shot.place, layout=layout), figures=figures)


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_every_wording_of_a_shot_is_read_back(first):
    for seed in range(first, first + 100):
        movie = write_movie(seed, 12, describe=0.3)
        looks = {puppet.name: puppet for puppet in movie.cast}
        rng = random.Random(seed)
        for shot in movie.shots:
            again = write_caption(shot.staged, frozenset(shot.described), rng)
            for caption in (shot.caption, again, canonical_caption(shot.staged, frozenset(shot.described))):
                assert read_caption(caption, looks, 7) == by_position(shot.staged, 7), caption
                told = {name for name in looks if told_look(caption, name)}
                assert told == set(shot.described), caption
                for name in told:
                    assert read_look(name, told_look(caption, name) or "") == looks[name], caption


def test_every_wording_of_a_look_is_read_back():
    for seed in range(500):
        rng = random.Random(seed)
        (puppet,) = random_cast(rng, 1)
        assert read_look(puppet.name, write_look(puppet, rng)) == puppet
        assert read_look(puppet.name, describe_look(puppet)) == puppet


@pytest.mark.parametrize(
    "caption",
    [
        "Wide shot. <Mira> walks on the left.",  # no place, no time
        "Wide shot. In the forest at night and by day, <Mira> walks on the left.",
        "Wide shot. In the forest, then on the beach at night, <Mira> walks on the left.",
        "In the forest at night, <Mira> walks on the left.",
        "Wide shot. In the forest at night, <Mira> sings on the left.",
        "Wide shot. In the forest at night, <Mira> walks and jumps on the left.",
        "Wide shot. In the forest at night, <Nobody> walks on the left.",
        "A man opens a door and looks at the rain.",
        "",
    ],
)
def test_what_is_not_told_or_told_twice_is_not_guessed(caption):
    assert read_caption(caption, {"Mira": MIRA}) is None


def test_two_in_one_place_are_not_guessed():
    both = {"Mira": MIRA, "Bo": replace(MIRA, name="Bo", coat="green")}
    where = "Wide shot. In the forest at night, <Mira> walks on the left and <Bo> waves"
    assert read_caption(f"{where} on the left.", both) is None
    assert read_caption(f"{where} on the right.", both) is not None


@pytest.mark.parametrize(
    "text", ["", "a tall puppet", "a tall tan-skinned doll in a red coat and a blue coat"]
)
def test_half_a_look_is_none(text):
    assert read_look("Mira", text) is None
