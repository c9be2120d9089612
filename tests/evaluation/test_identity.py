"""Who is in a keyframe alone, and how much the same they look; cosines are worked out by hand."""

import numpy as np
import pytest

from cinema_cli.evaluation.identity import Identity
from cinema_cli.evaluation.report import Score
from cinema_cli.storyboard import Shot

EAST, NORTH, SLANTED = (1.0, 0.0), (0.0, 1.0), (0.6, 0.8)


def identity(*told: tuple[str, tuple[float, float] | None]) -> Identity:
    """Of shots with these captions and these vectors of their keyframes."""
    shots = [Shot(id=f"{n:04d}", duration="2", caption=words) for n, (words, _) in enumerate(told, 1)]
    vectors = {
        shot.id: np.array([vector], np.float32)
        for shot, (_, vector) in zip(shots, told, strict=True)
        if vector is not None
    }
    return Identity.of(shots, vectors)


def scores(found: Identity) -> dict[str, Score]:
    return {score.key: score for score in found.scores()}


def test_only_shots_of_one_character_alone_count() -> None:
    found = identity(
        ("<Mira> waves.", EAST),
        ("<Mira> and <Tom> run.", NORTH),
        ("A harbour.", NORTH),
        ("<Mira> sits, <Mira> sleeps.", SLANTED),
        ("<Mira> has no picture yet.", None),
    )
    assert found.alone == {"Mira": ["0001", "0004"]}
    assert found.by_shot() == {"0004": pytest.approx(0.6)}


def test_the_form_of_human_identity() -> None:
    # Mira against her first: 0.6, 0.0, 1.0, of which two pass 0.4.  Tom: 0.8 passes.
    found = identity(
        ("<Mira>", EAST),
        ("<Tom>", NORTH),
        ("<Mira>", SLANTED),
        ("<Mira>", NORTH),
        ("<Tom>", SLANTED),
        ("<Mira>", EAST),
        ("<Ada>", EAST),
    )
    told = scores(found)
    assert told["identity_consistency"].value == pytest.approx((2 / 3 + 1) / 2)
    assert told["identity_consistency"].n == 4
    # Mira's six pairs: .6 0 1 | .8 .6 | 0.  Tom's one: .8.  Ada has no second shot.
    assert told["identity_cosine"].value == pytest.approx((3.0 / 6 + 0.8) / 2)
    assert told["identity_cosine"].n == 6
    # Mira-Tom: E 0 .6, S .8 1, N 1 .8, E 0 .6 = 4.8; Mira-Ada: 1 .6 0 1 = 2.6; Tom-Ada: 0 .6 = 0.6.
    assert told["identity_between"].value == pytest.approx((4.8 + 2.6 + 0.6) / 14)
    assert told["identity_between"].n == 7


def test_what_cannot_be_said_is_none_and_why() -> None:
    told = scores(identity(("<Mira>", EAST), ("<Tom>", NORTH), ("A harbour.", NORTH)))
    assert told["identity_consistency"].value is None
    assert told["identity_consistency"].note == "no character is alone in two shots"
    assert told["identity_between"].value == pytest.approx(0)
    told = scores(identity(("<Mira>", EAST), ("<Mira>", EAST)))
    assert told["identity_consistency"].value == 1
    assert told["identity_between"].value is None
    assert all(score.value is None for score in scores(identity()).values())


def test_what_is_compared_is_said_beside_the_number() -> None:
    told = scores(identity(("<Mira>", EAST), ("<Mira>", EAST)))
    assert "of whole keyframes, not of faces" in told["identity_consistency"].note
