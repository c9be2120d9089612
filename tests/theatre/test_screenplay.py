import hashlib
import os
import random
import subprocess
import sys
from collections import Counter

from cinema_cli.theatre.names import REAL_NAMES, draw_names
from cinema_cli.theatre.screenplay import random_shot, write_movie
from cinema_cli.theatre.world import ACTIONS, SETS, SHOT_SIZES, TIMES, MovieShot

DIGEST = (
    "import hashlib; from cinema_cli.theatre.screenplay import write_movie; "
    "print(hashlib.sha256(repr([write_movie(s, 9, 0.2) for s in range(5)]).encode()).hexdigest())"
)


def all_shots() -> list[MovieShot]:
    return [shot for seed in range(200) for shot in write_movie(seed, 16).shots]


def test_the_same_seed_writes_the_same_movie_whatever_the_hash_seed() -> None:
    here = hashlib.sha256(repr([write_movie(seed, 9, 0.2) for seed in range(5)]).encode()).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", DIGEST],
        env={**os.environ, "PYTHONHASHSEED": "41"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == here


def test_two_seeds_write_two_movies() -> None:
    assert write_movie(1, 8) != write_movie(2, 8)


def test_a_movie_has_as_many_shots_as_asked() -> None:
    assert [len(write_movie(3, count).shots) for count in (1, 8, 48)] == [1, 8, 48]


def test_coats_and_hats_are_distinct_within_a_movie() -> None:
    for seed in range(300):
        cast = write_movie(seed, 1).cast
        assert 1 <= len(cast) <= 4
        assert len({puppet.coat for puppet in cast}) == len({puppet.hat for puppet in cast}) == len(cast)
        assert len({puppet.name for puppet in cast}) == len(cast)


def test_a_look_is_told_when_a_puppet_first_appears_and_only_then() -> None:
    for seed in range(100):
        seen: set[str] = set()
        for shot in write_movie(seed, 16).shots:
            names = [figure.puppet.name for figure in shot.staged.figures]
            assert list(shot.described) == [name for name in names if name not in seen]
            seen.update(names)


def test_describe_tells_every_look_again() -> None:
    for shot in write_movie(5, 16, describe=1.0).shots:
        assert list(shot.described) == [figure.puppet.name for figure in shot.staged.figures]


def test_places_come_back_after_other_places() -> None:
    returns = 0
    for seed in range(100):
        places = [shot.staged.place for shot in write_movie(seed, 16).shots]
        assert len(set(places)) <= 5
        assert len({place.set for place in places}) == len(set(places))
        scenes = [place for place, before in zip(places, [None, *places], strict=False) if place != before]
        returns += len(scenes) > len(set(scenes))
    assert returns >= 95


def test_everything_happens() -> None:
    staged = [shot.staged for shot in all_shots()]
    figures = [figure for shot in staged for figure in shot.figures]
    assert {shot.place.set for shot in staged} == set(SETS)
    assert {shot.time for shot in staged} == set(TIMES)
    assert {figure.action for figure in figures} == set(ACTIONS)
    sizes = Counter(shot.size for shot in staged)
    assert min(sizes[size] for size in SHOT_SIZES) > 0.15 * len(staged)
    empty = sum(not shot.figures for shot in staged) / len(staged)
    assert 0.05 < empty < 0.09


def test_the_line_about_the_movie_tags_its_cast() -> None:
    movie = write_movie(11, 8)
    assert all(f"<{puppet.name}>" in movie.caption for puppet in movie.cast)


def test_random_shot_describes_everybody() -> None:
    for seed in range(50):
        staged, described = random_shot(random.Random(seed))
        assert described == {figure.puppet.name for figure in staged.figures}


def test_half_of_the_names_are_invented() -> None:
    rng = random.Random(0)
    names = [name for _ in range(250) for name in draw_names(rng, 4)]
    known = sum(name in REAL_NAMES or name.startswith("The ") for name in names)
    assert len(set(REAL_NAMES)) >= 300
    assert 400 < known < 600


def test_company_is_the_chance_of_two_where_the_cast_allows() -> None:
    together = {
        company: [
            len(shot.staged.figures) == 2
            for seed in range(200)
            for shot in write_movie(seed, 8, company=company).shots
            if len(write_movie(seed, 8, company=company).cast) > 1 and shot.staged.size == "wide"
        ]
        for company in (0.0, 0.4, 1.0)
    }
    none, usual, all_of_them = (sum(frames) / len(frames) for frames in together.values())
    assert none == 0
    assert 0.3 < usual < 0.45
    assert all_of_them > 0.88  # a few shots show nobody
    assert write_movie(3, 8, company=0.4) == write_movie(3, 8)


def test_returns_is_the_chance_that_a_shot_shows_what_an_earlier_one_showed() -> None:
    def returned(chance: float) -> float:
        seen_before = []
        for seed in range(200):
            shots = [shot.staged for shot in write_movie(seed, 8, returns=chance).shots]
            scenery = [(shot.place, shot.time, shot.size) for shot in shots]
            seen_before += [kind in scenery[:number] for number, kind in enumerate(scenery) if number]
        return sum(seen_before) / len(seen_before)

    assert 0.25 < returned(0.0) < 0.35
    assert 0.5 < returned(0.5) < 0.7
    assert returned(1.0) > 0.9  # an empty close-up is staged as a medium shot
    assert write_movie(3, 8, returns=0.0) == write_movie(3, 8)
