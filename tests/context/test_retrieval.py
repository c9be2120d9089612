import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinema_cli.config import build
from cinema_cli.context.goldenmem import GoldenMem
from cinema_cli.context.retrieval import Candidates, RetrievalConfig, recency_scores, retrieve
from cinema_cli.errors import InputError

PLAIN = RetrievalConfig(tie=0, duplicate=1)


def candidates(scores: list[float], angles: list[float] | None = None) -> Candidates:
    """Shots a, b, c ... of a film; their pictures are directions in a plane, in degrees."""
    turned = np.deg2rad(angles or [10.0 * i for i in range(len(scores))])
    shots = [chr(ord("a") + i) for i in range(len(scores))]
    return Candidates(
        shots, list(range(len(scores))), scores, np.stack([np.cos(turned), np.sin(turned)], axis=1)
    )


def names(scores, capacity, config=PLAIN, angles=None, target=None, **steering) -> str:
    place = len(scores) if target is None else target
    memory = retrieve(candidates(scores, angles), place, capacity, config, **steering)
    return "".join(chosen.shot for chosen in memory.chosen)


def test_the_best_that_fit_are_remembered_newest_first():
    assert names([0.1, 0.9, 0.3, 0.8, 0.2], 3) == "dcb"
    assert names([0.1, 0.9], 5) == "ba"
    assert names([], 5) == ""


def test_each_comes_with_its_score_and_why():
    memory = retrieve(candidates([0.1, 0.9, 0.3]), 3, 2, PLAIN, pin=["a"])
    assert [(c.shot, c.score, c.why) for c in memory.chosen] == [("b", 0.9, "score"), ("a", 0.1, "pin")]


def test_nearly_tied_scores_go_to_the_nearer_shot_and_nothing_else_does():
    tied = RetrievalConfig(tie=0.01, duplicate=1)
    assert names([0.505, 0.5, 0.1], 1, tied) == "b"
    assert names([0.505, 0.49, 0.1], 1, tied) == "a"


def test_a_chain_of_ties_does_not_reach_down_to_the_last():
    """Each is nearly tied with the next, but the last is far below the best."""
    chain = [0.50, 0.495, 0.49, 0.485, 0.48]
    assert names(chain, 1, RetrievalConfig(tie=0.01, duplicate=1)) == "c"


def test_of_near_duplicates_the_better_one_stays():
    config = RetrievalConfig(tie=0, duplicate=0.99)  # 8 degrees
    assert names([0.9, 0.8, 0.1], 2, config, angles=[0, 5, 90]) == "ca"
    memory = retrieve(candidates([0.8, 0.9, 0.1], [0, 5, 90]), 3, 2, config)
    assert [c.shot for c in memory.chosen] == ["c", "b"]
    assert memory.twins == {"a": "b"}


def test_pinned_ones_stay_however_alike_and_set_their_twins_aside():
    config = RetrievalConfig(tie=0, duplicate=0.99)
    assert names([0.2, 0.1, 0.9, 0.5], 4, config, angles=[0, 1, 2, 90], pin=["a", "b"]) == "dba"


def test_who_introduced_somebody_comes_after_pins_and_before_scores_as_far_as_it_fits():
    scores = [0.1, 0.2, 0.3, 0.9]
    memory = retrieve(candidates(scores), 4, 3, PLAIN, pin=["b"], introduced=["a", "b", "nobody"])
    assert [(c.shot, c.why) for c in memory.chosen] == [("d", "score"), ("b", "pin"), ("a", "introduced")]
    assert names(scores, 2, pin=["b"], introduced=["c", "a"]) == "cb"
    assert names(scores, 2, introduced=["c", "a"], forbid={"c"}) == "da"
    assert names(scores, 2, RetrievalConfig(tie=0, duplicate=0.99), [0, 90, 90, 2], introduced=["a"]) == "ca"


def test_a_redrawn_shot_remembers_later_ones_too_and_the_nearest_come_first():
    memory = retrieve(candidates([0.1, 0.2, 0.3]), 1, 3, PLAIN, forbid={"b"})
    assert [c.shot for c in memory.chosen] == ["a", "c"]


def test_forbidden_shots_are_not_even_twins():
    config = RetrievalConfig(tie=0, duplicate=0.99)
    memory = retrieve(candidates([0.9, 0.8], [0, 1]), 2, 2, config, forbid={"a"})
    assert [c.shot for c in memory.chosen] == ["b"]
    assert memory.twins == {}


def test_more_pins_than_fit_are_refused_by_name():
    with pytest.raises(InputError, match=r"at most 2 shots fit the memory, found 3; c is the first"):
        names([0.1, 0.2, 0.3], 2, pin=["a", "b", "c"])


def test_a_pin_without_a_keyframe_is_refused():
    with pytest.raises(InputError, match=r"found z, which has none"):
        names([0.1], 2, pin=["z"])


def test_recency_takes_the_last_ones():
    assert (
        names(recency_scores(range(30), 30)[:26], 3, RetrievalConfig(), angles=[90.0 * i for i in range(26)])
        == "zyxw"[:3]
    )


def test_the_budget_of_goldenmem_says_how_many():
    memory = GoldenMem(groups=3, frames=1)
    scores = [0.1 * i for i in range(9)]
    assert len(names(scores, memory.capacity((25, 50)))) == 3


def test_a_wrong_rule_is_told():
    with pytest.raises(InputError, match="duplicate"):
        build(RetrievalConfig, {"duplicate": 2}, "memory")


@st.composite
def films(draw):
    """Scores in steps of a thousandth, directions in whole degrees: no two differ by rounding alone."""
    count = draw(st.integers(1, 12))
    scores = draw(st.lists(st.integers(0, 40), min_size=count, max_size=count))
    angles = draw(st.lists(st.integers(0, 30), min_size=count, max_size=count))
    shots = candidates([s / 1000 for s in scores], [float(a) for a in angles])
    marks = draw(st.lists(st.sampled_from(["", "pin", "forbid"]), min_size=count, max_size=count))
    pin = [shot for shot, mark in zip(shots.shots, marks, strict=True) if mark == "pin"]
    forbid = {shot for shot, mark in zip(shots.shots, marks, strict=True) if mark == "forbid"}
    return shots, pin, forbid, draw(st.integers(max(1, len(pin)), 12)), draw(st.permutations(range(count)))


CONFIG = RetrievalConfig(tie=0.0105, duplicate=0.9975)  # between two steps, and between 4 and 5 degrees


@given(films())
def test_whatever_the_film_the_rules_hold(film):
    shots, pin, forbid, capacity, order = film
    target = len(shots.shots)
    memory = retrieve(shots, target, capacity, CONFIG, pin, forbid)
    chosen = [c.shot for c in memory.chosen]
    assert len(chosen) == len(set(chosen)) <= capacity
    assert set(pin) <= set(chosen)
    assert not set(chosen) & forbid
    assert chosen == sorted(chosen, reverse=True)
    # Nobody is left out without a reason.
    allowed = set(shots.shots) - forbid
    assert len(chosen) == capacity or set(chosen) | set(memory.twins) == allowed
    # The order in which candidates are given does not matter.
    turned = Candidates(
        [shots.shots[i] for i in order],
        [shots.places[i] for i in order],
        [shots.scores[i] for i in order],
        shots.pictures[list(order)],
    )
    assert retrieve(turned, target, capacity, CONFIG, pin, forbid) == memory


@given(films())
def test_nothing_left_out_is_better_than_something_chosen_by_more_than_a_tie(film):
    shots, _, forbid, capacity, _ = film
    memory = retrieve(shots, len(shots.shots), capacity, CONFIG, (), forbid)
    chosen = {c.shot for c in memory.chosen}
    scores = dict(zip(shots.shots, shots.scores, strict=True))
    rest = set(shots.shots) - chosen - forbid - set(memory.twins)
    assert all(scores[out] <= scores[kept] + CONFIG.tie for out in rest for kept in chosen)
    assert all(scores[out] <= scores[kept] + CONFIG.tie for out, kept in memory.twins.items())
