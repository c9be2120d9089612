import random

import pytest

from cinema_cli.theatre.captions import DEFAULT_FACING, canonical_caption, describe_look, write_caption
from cinema_cli.theatre.screenplay import random_shot
from cinema_cli.theatre.wording import (
    ACTION_WORDS,
    BUILD_WORDS,
    COAT_WORDS,
    COLOUR_WORDS,
    HAT_WORDS,
    PLACE_WORDS,
    POSITION_WORDS,
    PROP_WORDS,
    SIZE_WORDS,
    SKIN_WORDS,
    TIME_WORDS,
)
from cinema_cli.theatre.world import (
    ACTIONS,
    SETS,
    SHOT_SIZES,
    TIMES,
    Figure,
    Place,
    Puppet,
    StagedShot,
)

MIRA = Puppet("Mira", "red", "blue", "pointed", "tan", "tall", "lantern")
TOBIAS = Puppet("Tobias", "green", "yellow", "round", "dark", "short")
HARBOUR = Place("harbour", 7)


def shots(count: int) -> list[tuple[StagedShot, frozenset[str], str]]:
    found = []
    for seed in range(count):
        rng = random.Random(seed)
        staged, described = random_shot(rng)
        found.append((staged, described, write_caption(staged, described, rng)))
    return found


def says(caption: str, words: tuple[str, ...]) -> bool:
    return any(word.lower() in caption.lower() for word in words)


def test_every_fact_of_the_shot_is_in_the_caption() -> None:
    for staged, _, caption in shots(400):
        places = tuple(place for _, place in PLACE_WORDS[staged.place.set])
        assert says(caption, places), caption
        assert says(caption, TIME_WORDS[staged.time]), caption
        assert says(caption, SIZE_WORDS[staged.size]), caption
        for figure in staged.figures:
            assert f"<{figure.puppet.name}>" in caption
            assert says(caption, ACTION_WORDS[figure.action]), caption
            assert figure.position == "middle" or says(caption, POSITION_WORDS[figure.position]), caption
            if figure.facing != DEFAULT_FACING[figure.position]:
                assert figure.facing in caption.replace(f"on the {figure.position}", ""), caption


def test_every_part_of_a_described_look_is_in_the_caption() -> None:
    for staged, _, caption in shots(400):
        for puppet in (figure.puppet for figure in staged.figures):
            coats = tuple(f"{c} {g}" for c in COLOUR_WORDS[puppet.coat] for g in COAT_WORDS)
            hats = tuple(f"{c} {h}" for c in COLOUR_WORDS[puppet.hat] for h in HAT_WORDS[puppet.hat_shape])
            assert says(caption, coats), caption
            assert says(caption, hats), caption
            assert says(caption, BUILD_WORDS[puppet.build]), caption
            assert says(caption, SKIN_WORDS[puppet.skin]), caption
            assert puppet.prop is None or says(caption, PROP_WORDS[puppet.prop]), caption


def test_a_look_that_is_not_described_is_not_told() -> None:
    for seed in range(100):
        rng = random.Random(seed)
        staged, _ = random_shot(rng)
        caption = write_caption(staged, frozenset(), rng)
        assert not says(caption, (" coat", " cloak", " jacket", " hat", "-skinned", "lantern")), caption


def test_two_shots_that_differ_have_canonical_captions_that_differ() -> None:
    captions = {}
    for size in SHOT_SIZES:
        for name in SETS:
            for time in TIMES:
                for action in ACTIONS:
                    for position in ("left", "middle", "right"):
                        for facing in ("left", "right"):
                            figure = Figure(MIRA, position, facing, action)
                            shot = StagedShot(Place(name, 0), time, size, (figure,))
                            captions[canonical_caption(shot, frozenset())] = shot
    assert len(captions) == 3 * 12 * 3 * 4 * 3 * 2


def test_the_plain_wording() -> None:
    figures = (Figure(MIRA, "left", "left", "walks"), Figure(TOBIAS, "right", "left", "waves"))
    caption = canonical_caption(StagedShot(HARBOUR, "night", "wide", figures), {"Mira"})
    assert caption == (
        "Wide shot. In the harbour at night, <Mira>, a tall tan-skinned puppet in a red coat and a blue "
        "pointed hat, carrying a lantern, walks on the left, heading left and <Tobias> waves on the right."
    )


def test_an_empty_place_says_so() -> None:
    shot = StagedShot(HARBOUR, "day", "wide")
    assert canonical_caption(shot, set()) == "Wide shot. Nobody is in the harbour by day."
    for seed in range(50):
        caption = write_caption(shot, set(), random.Random(seed))
        assert says(caption, ("nobody", "no one", "empty", "without anyone")), caption


def test_captions_are_short() -> None:
    assert max(len(caption.split()) for _, _, caption in shots(2000)) <= 68


def test_captions_vary() -> None:
    staged, described = random_shot(random.Random(1))
    rng = random.Random(2)
    assert len({write_caption(staged, described, rng) for _ in range(100)}) > 70


@pytest.mark.parametrize("words", [*PLACE_WORDS.values(), *TIME_WORDS.values(), *ACTION_WORDS.values()])
def test_everything_has_at_least_four_names(words: tuple[object, ...]) -> None:
    assert len(set(words)) >= 4


def test_describe_look() -> None:
    assert describe_look(TOBIAS) == "a short dark-skinned puppet in a green coat and a yellow round hat"
