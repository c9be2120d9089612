import pytest

from cinema_cli.progress import Progress
from cinema_cli.training.held_out import hold_out

NAMES = [f"film-{number}" for number in range(40)]


def held(names: list[str], share: float) -> tuple[set[str], str]:
    """Names of what is held out, and what was said."""
    said: list[str] = []
    with Progress(quiet=True) as progress:
        progress.say = said.append
        numbers = hold_out(names, share, progress)
    return {names[number] for number in numbers}, " ".join(said)


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.05, 2), (0.1, 4), (0.5, 20), (0.999, 39)])
def test_a_share_of_the_films_is_held_out_and_never_all(share, count):
    assert len(held(NAMES, share)[0]) == count


def test_the_same_films_whatever_their_order_and_more_with_a_larger_share():
    few, said = held(NAMES, 0.1)
    assert held(NAMES[::-1], 0.1)[0] == few
    assert few < held(NAMES, 0.2)[0]
    assert said == f"4 of 40 films held out: {', '.join(sorted(few)[:3])}, ..."


def test_of_a_few_films_none_is_held_out_and_that_is_said():
    names, said = held(NAMES[:3], 0.05)
    assert not names
    assert said == (
        "No film is held out (held_out=0.05 of 3): previews and validation show what is trained on"
    )
