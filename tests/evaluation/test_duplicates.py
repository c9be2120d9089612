import numpy as np
import pytest

import drawn_movies
from cinema_cli.evaluation.duplicates import LIMIT, Neighbour, neighbours, thumb
from cinema_cli.footage.quality import Judge, QualityConfig


def test_repeats_are_named_and_the_first_is_none() -> None:
    one, two = drawn_movies.scene(1), drawn_movies.scene(2)
    found = neighbours([thumb(one), thumb(two), thumb(one), thumb(one)])
    assert [beside.repeats for beside in found] == [None, None, 0, 0]
    assert [beside.apart == 0 for beside in found] == [True, False, True, True]
    assert found[0].nearest == 2


def test_the_distance_is_the_mean_difference_in_levels() -> None:
    plain = [np.full((40, 80, 3), level, np.uint8) for level in (100, 110, 125)]
    assert neighbours([thumb(picture) for picture in plain]) == [
        Neighbour(nearest=1, apart=10, repeats=None),
        Neighbour(nearest=0, apart=10, repeats=None),
        Neighbour(nearest=1, apart=15, repeats=None),
    ]


@pytest.mark.parametrize("add", [1, 2, 3])
def test_ingest_judges_the_same(add: int) -> None:
    one = drawn_movies.scene(3)
    other = one + np.uint8(add)
    judge = Judge(QualityConfig())
    assert judge.flags("0001", one, None) == ()
    flagged = [flag.reason for flag in judge.flags("0002", other, None)] == ["near-duplicate"]
    assert (neighbours([thumb(one), thumb(other)])[1].repeats == 0) is flagged
    assert flagged is (add < LIMIT)


def test_one_keyframe_has_no_neighbour() -> None:
    assert neighbours([]) == neighbours([thumb(drawn_movies.scene(1))]) == []
