from itertools import combinations
from statistics import fmean

import numpy as np
import pytest

import drawn_movies
from cinema_cli.evaluation.colours import likeness, palette


def paint(*colours: tuple[int, int, int]) -> np.ndarray:
    """A picture in equal stripes of these colours."""
    picture = np.empty((8, 12 * len(colours), 3), np.uint8)
    for number, colour in enumerate(colours):
        picture[:, 12 * number : 12 * (number + 1)] = colour
    return picture


RED, GREEN, BLUE = (200, 30, 30), (30, 160, 40), (40, 60, 200)


def alike(one: np.ndarray, other: np.ndarray) -> float:
    return float(palette(one) @ palette(other))


def test_two_pictures_are_alike_by_the_colours_they_share() -> None:
    assert alike(paint(RED), paint(RED)) == pytest.approx(1)
    assert alike(paint(RED), paint(GREEN)) == 0
    assert alike(paint(RED, GREEN), paint(GREEN, RED)) == pytest.approx(1)  # where they are is not told
    assert alike(paint(RED, GREEN), paint(GREEN, BLUE)) == pytest.approx(0.5)
    assert alike(paint(RED), paint(RED, GREEN)) == pytest.approx(0.5**0.5)


def test_places_of_one_palette_each() -> None:
    palettes = [palette(paint(colour)) for colour in (RED, RED, GREEN, GREEN, GREEN)]
    found = likeness(palettes, ["quay", "quay", "wood", "wood", "wood"])
    assert (found.within, found.between) == (pytest.approx(1), pytest.approx(0))
    assert (found.within_pairs, found.between_pairs) == (4, 6)
    assert found.difference == pytest.approx(1)


def test_names_that_mean_nothing_add_nothing() -> None:
    palettes = [palette(paint(RED, BLUE))] * 4
    assert likeness(palettes, ["a", "a", "b", "b"]).difference == pytest.approx(0)


def test_sums_give_the_mean_over_all_pairs() -> None:
    palettes = [palette(drawn_movies.scene(seed, (30, 60))) for seed in range(9)]
    names, places = list("aabbbcaca"), list("xxxyyyzzz")
    for apart in (None, places):
        pairs = [
            (names[i] == names[j], float(palettes[i] @ palettes[j]))
            for i, j in combinations(range(9), 2)
            if apart is None or apart[i] != apart[j]
        ]
        found = likeness(palettes, names, apart)
        assert found.within == pytest.approx(fmean(value for same, value in pairs if same))
        assert found.between == pytest.approx(fmean(value for same, value in pairs if not same))
        assert found.within_pairs == sum(same for same, _ in pairs)
        assert found.between_pairs == sum(not same for same, _ in pairs)


def test_a_shared_place_is_not_taken_for_a_shared_coat() -> None:
    # Each of the two is always in a place of its own, so the place alone makes their pictures alike.
    palettes = [palette(paint(colour)) for colour in (RED, RED, GREEN, GREEN)]
    people, places = ["Mira", "Mira", "Tobias", "Tobias"], ["quay", "quay", "wood", "wood"]
    assert likeness(palettes, people).difference == pytest.approx(1)
    assert likeness(palettes, people, places).within is None


def test_no_pair_no_number() -> None:
    one = likeness([palette(paint(RED))], ["quay"])
    assert (one.within, one.between, one.difference) == (None, None, None)
    assert likeness([], []).within_pairs == 0
