"""``storyboard_of``: what a folder keeps when its story is planned again."""

from pathlib import Path

import pytest

from cinema_cli.errors import InputError
from cinema_cli.planning.board import PREVIOUS_NAME, StoryConfig, storyboard_of
from cinema_cli.planning.continuing import continue_film
from cinema_cli.planning.records import PlanRecord
from cinema_cli.storyboard import CastMember, Shot, Storyboard

STORY = "Mira, a girl in a red coat, walked along the harbour at night. Tom waved at the castle."
MORE = "She jumped in the forest with Tom. Nora waved in the forest."
CONFIG = StoryConfig()


def ids(board: Storyboard) -> list[str]:
    return [shot.id for shot in board.shots]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A story that is continued, every shot drawn as far as the document tells."""
    storyboard_of(STORY, tmp_path, CONFIG)
    board, _ = continue_film(MORE, tmp_path, CONFIG)
    assert ids(board) == ["0001", "0002", "0003", "0004"]
    for id in ids(board):
        board = board.with_shot(id, keyframe=f"keyframes/{id}.png")
    board.save(tmp_path)
    return tmp_path


def test_the_same_story_again_leaves_the_continuation_as_it_is(film: Path) -> None:
    before = {path.name: path.read_bytes() for path in film.iterdir()}
    board, notes = storyboard_of(STORY, film, CONFIG)
    assert (ids(board), notes) == (["0001", "0002", "0003", "0004"], ())
    assert {path.name: path.read_bytes() for path in film.iterdir()} == before


def test_a_changed_story_keeps_the_continuation_at_its_end(film: Path) -> None:
    old = Storyboard.load(film)
    board, notes = storyboard_of(f"{STORY} Mira slept on the farm.", film, CONFIG)
    assert ids(board) == ["0001", "0002", "0005", "0003", "0004"]
    assert board.shots[:2] == old.shots[:2]
    assert board.shots[3:] == old.shots[2:]
    assert [member.name for member in board.cast] == ["Mira", "Tom", "Nora"]
    assert board.cast[2] == old.cast[2]
    assert len({shot.seed for shot in board.shots}) == 5
    assert notes[:2] == (
        f"planned anew; the storyboard as it was before is in {PREVIOUS_NAME}",
        "the 2 shots that continue the film stay at its end",
    )
    assert Storyboard.load(film / PREVIOUS_NAME) == old
    assert storyboard_of(f"{STORY} Mira slept on the farm.", film, CONFIG)[0] == board
    assert "continues the film already" in continue_film(MORE, film, CONFIG)[1][0]


def test_a_story_that_grows_by_the_words_of_its_continuation_repeats_no_noise(film: Path) -> None:
    board, _ = storyboard_of(f"{STORY} {MORE}", film, CONFIG)
    assert ids(board) == ["0001", "0002", "0005", "0006", "0003", "0004"]
    assert len({shot.seed for shot in board.shots}) == 6


def test_who_left_the_story_stays_in_the_cast_while_the_continuation_shows_them(film: Path) -> None:
    tom = Storyboard.load(film).cast[1]
    board, _ = storyboard_of("Mira, a girl in a red coat, walked along the harbour at night.", film, CONFIG)
    assert ids(board) == ["0001", "0003", "0004"]
    assert tom in board.cast


def test_another_seed_leaves_the_continuation_alone(film: Path) -> None:
    old = Storyboard.load(film)
    board, _ = storyboard_of(STORY, film, StoryConfig(seed=4))
    assert ids(board) == ids(old)
    assert [a == b for a, b in zip(board.shots, old.shots, strict=True)] == [False, False, True, True]


def test_memories_of_a_shot_that_went_are_dropped(film: Path) -> None:
    Storyboard.load(film).with_shot("0003", pin=("0002",), forbid=("0001",)).save(film)
    board, _ = storyboard_of("Mira, a girl in a red coat, walked along the harbour at night.", film, CONFIG)
    assert (board.shot("0003").pin, board.shot("0003").forbid) == ((), ("0001",))


def test_a_new_shot_never_takes_the_number_of_one_that_was_removed_from_the_continuation(film: Path) -> None:
    board = Storyboard.load(film)
    board.model_copy(update={"shots": board.shots[:3]}).save(film)
    longer, _ = storyboard_of(f"{STORY} Mira slept on the farm. Tom ran to the cave.", film, CONFIG)
    assert ids(longer) == ["0001", "0002", "0005", "0006", "0003"]


def test_what_a_story_tells_of_its_cast_is_remembered(film: Path) -> None:
    record = PlanRecord.load(film)
    assert record is not None
    assert [(each.name, "girl" in each.words) for each in record.called] == [("Mira", True), ("Tom", False)]


def test_a_record_from_before_continuations_counts_as_the_same(film: Path) -> None:
    record = PlanRecord.load(film)
    assert record is not None
    record.model_copy(update={"called": ()}).save(film)
    assert ids(storyboard_of(STORY, film, CONFIG)[0]) == ["0001", "0002", "0003", "0004"]
    assert not (film / PREVIOUS_NAME).exists()


def test_a_storyboard_that_no_story_made_is_not_replaced(tmp_path: Path) -> None:
    board = Storyboard(
        frame_size=(128, 256), cast=(CastMember(name="Ines"),), shots=(Shot(id="1", duration="2"),)
    )
    board.save(tmp_path)
    continue_film(MORE, tmp_path, CONFIG)
    with pytest.raises(InputError, match="was not planned from a story"):
        storyboard_of(STORY, tmp_path, CONFIG)
