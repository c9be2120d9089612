import pytest

from cinema_cli.models.captions import otherwise, with_looks
from cinema_cli.planning.story import write_shot_list
from cinema_cli.storyboard import CastMember
from cinema_cli.theatre.captions import canonical_caption

CAST = (
    CastMember(name="Mira", look="a tall puppet in a red coat, with a dog"),
    CastMember(name="Tom", look="a short puppet in a blue coat"),
    CastMember(name="Nobody Yet"),
)
MIRA, TOM = f"<Mira>, {CAST[0].look}", f"<Tom>, {CAST[1].look}"


@pytest.mark.parametrize(
    ("caption", "told"),
    [
        ("<Mira> waves.", f"{MIRA}, waves."),
        ("<Mira> waves at <Tom>. <Mira> sits.", f"{MIRA}, waves at {TOM}. <Mira> sits."),
        ("<Tom>, facing left, waves.", f"{TOM}, facing left, waves."),
        ("Here comes <Tom>", f"Here comes {TOM}"),
        (f"{TOM}, waves.", f"{TOM}, waves."),
        ("<Tom>, a pirate in green, waves.", "<Tom>, a pirate in green, waves."),
        ("<Tom> waves. <Tom> is an old man.", "<Tom> waves. <Tom> is an old man."),
        ("<Tom>'s hat, then <Tom> himself.", f"<Tom>'s hat, then {TOM}, himself."),
        ("Close-up of <Tom>'s hat.", f"Close-up of <Tom>'s hat. <Tom> is {CAST[1].look}."),
        ("<Nobody Yet> and Mira wait.", "<Nobody Yet> and Mira wait."),
        ("", ""),
    ],
)  # fmt: skip
def test_everybody_named_is_described(caption: str, told: str) -> None:
    assert with_looks(caption, CAST) == told
    assert with_looks(told, CAST) == told


def test_a_description_that_is_not_the_casts_is_found() -> None:
    assert otherwise(f"{MIRA}, meets <Tom>, a pirate in green.", CAST) == ("Tom",)
    assert otherwise(f"{MIRA}, meets <Tom>. <Tom> is {CAST[1].look}.", CAST) == ()


def test_the_planners_captions_become_those_of_the_theatre() -> None:
    story = (
        "Mira, a tall girl in a red coat, met Tom in the forest. They walked to the sea. Tom waved at night."
    )
    listed = write_shot_list(story)
    cast = [CastMember(name=entry.name, look=entry.look) for entry in listed.cast]
    assert any(len(shot.described) < len(shot.staged.figures) for shot in listed.shots)
    for shot in listed.shots:
        everybody = {figure.puppet.name for figure in shot.staged.figures}
        assert with_looks(shot.caption, cast) == canonical_caption(shot.staged, everybody)
