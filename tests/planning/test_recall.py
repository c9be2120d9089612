"""What shots remember, told by constructed vectors; on real pictures in test_plan_memory.py."""

import numpy as np
import pytest
import torch
from torch import Tensor

from cinema_cli.context.goldenmem import GoldenMem
from cinema_cli.context.retrieval import RetrievalConfig
from cinema_cli.errors import InputError
from cinema_cli.planning.introductions import introductions
from cinema_cli.planning.keyframes import DrawingConfig
from cinema_cli.planning.recall import Recall, RecallConfig
from cinema_cli.storyboard import CastMember, Portrait, Shot, Storyboard

GRID = (8, 16)
COLOURS = ("red", "green", "blue")
MEMORY = GoldenMem(groups=3, frames=1)


class Colours:
    """A judge that sees and reads three colours."""

    def vector(self, shot: Shot, caption: str, frame: np.ndarray) -> Tensor:
        return torch.nn.functional.normalize(torch.from_numpy(frame.copy()).float().mean(dim=(0, 1)), dim=0)

    def wish(self, caption: str) -> Tensor:
        told = torch.tensor([float(colour in caption) for colour in COLOURS])
        return torch.nn.functional.normalize(told, dim=0)


def frame(*colour: int) -> np.ndarray:
    return np.broadcast_to(np.array(colour, dtype=np.uint8), (4, 8, 3))


def film(**steered: tuple[str, ...]) -> Storyboard:
    """Five shots that show red, green, blue, red and green, and one that asks for red."""
    captions = ["a red coat", "a green coat", "a blue coat", "a red hat", "a green hat", "<Mira> waves"]
    shots = [Shot(id=str(n), caption=c, duration="2", seed=n) for n, c in enumerate(captions, start=1)]
    cast = [CastMember(name="Mira", look="a puppet in red")]
    board = Storyboard(frame_size=(128, 256), cast=cast, shots=shots)
    return board.with_shot("6", **steered) if steered else board


PICTURES = {
    "1": frame(200, 20, 0),
    "2": frame(10, 200, 0),
    "3": frame(0, 60, 200),
    "4": frame(200, 0, 90),
    "5": frame(60, 200, 0),
}


def recall(board: Storyboard, judge: object, pending: str = "") -> Recall:
    config = RecallConfig(memory=MEMORY, retrieval=RetrievalConfig(kind="clip", tie=0, duplicate=1))
    made = Recall(config, judge, GRID)
    for id, picture in PICTURES.items():
        if id != pending:
            made.learn(board, board.shot(id), picture)
    return made


def test_the_best_are_remembered_newest_largest_and_told_in_the_order_of_the_film() -> None:
    board = film()
    found = recall(board, Colours()).choose(board, [board.shot("6")])
    told = [(each.shot, each.why, each.by, each.short_side_tokens) for each in found.context]
    assert told == [("1", "score", "clip", 1), ("4", "score", "clip", 2), ("5", "score", "clip", 4)]
    assert found.grids == {"1": (1, 2), "4": (2, 4), "5": (4, 8)}
    scores = {each.shot: each.score for each in found.context}
    assert scores["1"] == pytest.approx(200 / np.hypot(200, 20), abs=1e-4)  # the look is in the wish
    assert scores["4"] < scores["1"]
    assert scores["5"] < scores["4"]


def test_whoever_is_only_named_is_remembered_where_their_look_was_told() -> None:
    board = film().with_shot("3", caption="<Mira>, a puppet in red, sleeps")
    again = [board.shot("6"), board.shot("6").model_copy(update={"id": "7"})]
    named = DrawingConfig(repeat_looks=False)
    assert introductions(board, again, named) == ("3",)
    assert introductions(board, again, DrawingConfig(repeat_looks=True)) == ()
    assert introductions(board, [board.shot("3"), *again], named) == ()  # it is told among them
    assert introductions(board, [board.shot("1")], named) == ()  # nobody is named
    found = recall(board, Colours()).choose(board, [board.shot("6")], introduced=("3",))
    assert [(each.shot, each.why) for each in found.context] == [
        ("1", "score"),
        ("3", "introduced"),
        ("4", "score"),
    ]


def test_nobody_is_looked_for_who_was_never_described_or_has_a_portrait() -> None:
    named = DrawingConfig(repeat_looks=False)
    assert introductions(film(), [film().shot("6")], named) == ()
    portrait = Portrait(
        picture="cast/mira.png", caption="<Mira> stands", film="Before", shot="1", picture_sha256="0" * 64
    )
    board = film().with_shot("3", caption="<Mira>, a puppet in red, sleeps")
    shown = board.model_copy(update={"cast": (board.cast[0].model_copy(update={"portrait": portrait}),)})
    assert introductions(shown, [shown.shot("6")], named) == ()


def test_pins_and_forbids_are_obeyed() -> None:
    board = film(pin=("3",), forbid=("1",))
    found = recall(board, Colours()).choose(board, [board.shot("6")])
    assert [(each.shot, each.why) for each in found.context] == [("3", "pin"), ("4", "score"), ("5", "score")]


def test_a_redrawn_shot_remembers_later_ones_too() -> None:
    board = film()
    board = board.with_shot("2", caption="a red and green coat")
    made = recall(board, Colours(), pending="2")
    assert [each.shot for each in made.choose(board, [board.shot("2")]).context] == ["1", "4", "5"]


def test_several_new_shots_share_what_is_best_for_one_of_them() -> None:
    board = film()
    made = recall(board, Colours(), pending="5")
    new = [board.shot("5").model_copy(update={"caption": "a blue hat"}), board.shot("6")]
    assert [each.shot for each in made.choose(board, new).context] == ["1", "3", "4"]


def test_recency_alone_needs_no_judge() -> None:
    board = film()
    config = RecallConfig(memory=MEMORY, retrieval=RetrievalConfig(kind="recency"))
    made = Recall(config, None, GRID)
    for id, picture in PICTURES.items():
        made.learn(board, board.shot(id), picture)
    found = made.choose(board, [board.shot("6")])
    assert [(each.shot, each.why, each.score) for each in found.context] == [
        ("3", "recent", 0.3333),
        ("4", "recent", 0.5),
        ("5", "recent", 1.0),
    ]


def test_a_first_shot_remembers_nothing() -> None:
    board = film()
    found = Recall(RecallConfig(memory=MEMORY), Colours(), GRID).choose(board, [board.shots[0]])
    assert (found.context, found.grids) == ((), {})


def test_a_pin_that_has_no_picture_yet_names_the_shot() -> None:
    board = film(pin=("5",))
    made = recall(board, Colours(), pending="5")
    with pytest.raises(InputError, match=r"shot 6: pin: .* found 5, which has none"):
        made.choose(board, [board.shot("6")])


def test_more_pins_than_fit_name_the_shot() -> None:
    board = film(pin=("1", "2", "3", "4"))
    with pytest.raises(
        InputError, match=r"shot 6: pin: at most 3 shots fit the memory, found 4; 4 is the first"
    ):
        recall(board, Colours()).choose(board, [board.shot("6")])


def test_sizes_that_cannot_be_are_told_before_anything_is_drawn() -> None:
    with pytest.raises(InputError, match="shrinks to nothing"):
        Recall(RecallConfig(memory=GoldenMem(groups=6)), None, GRID)
    with pytest.raises(InputError, match="at least 32 were wanted"):
        Recall(RecallConfig(memory=GoldenMem(tokens=20)), None, GRID)


@pytest.mark.parametrize(
    ("memory", "portraits", "room"),
    [
        (MEMORY, 0, 3),
        (MEMORY, 1, 2),
        (GoldenMem(groups=3, frames=8), 2, 22),
        (GoldenMem(groups=3, frames=8, tokens=100), 0, 6),  # twice 4 x 8, 2 x 4 and 1 x 2
        (GoldenMem(groups=3, frames=8, tokens=100), 1, 3),
        (GoldenMem(groups=3, frames=8, tokens=100), 3, 0),
        (GoldenMem(schedule="full", groups=1, frames=1), 2, 0),  # an editor of one reference
        (GoldenMem(schedule="full", groups=1, frames=4), 3, 1),
    ],
)
def test_portraits_take_their_place_in_the_memory(memory: GoldenMem, portraits: int, room: int) -> None:
    made = Recall(RecallConfig(memory=memory), None, GRID)
    assert made.room(portraits) == room
    assert made.largest == memory.layout(1, GRID)[0]


def test_beside_a_portrait_the_best_of_the_film_are_left() -> None:
    board = film()
    config = RecallConfig(memory=MEMORY, retrieval=RetrievalConfig(tie=0, duplicate=1))
    made = Recall(config, Colours(), GRID)
    for id, picture in PICTURES.items():
        made.learn(board, board.shot(id), picture)
    assert [each.shot for each in made.choose(board, [board.shot("6")], 1).context] == ["1", "4"]
    nothing = Recall(config, Colours(), GRID).choose(board, [board.shots[0]], 1)
    assert (nothing.context, nothing.grids) == ((), {})


def test_portraits_beyond_the_budget_are_told() -> None:
    made = Recall(RecallConfig(memory=GoldenMem(groups=3, frames=1, tokens=42)), None, GRID)
    with pytest.raises(InputError, match=r"memory.tokens: at least 64 were wanted for 2 portraits, found 42"):
        made.room(2)
