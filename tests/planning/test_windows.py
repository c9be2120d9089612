from cinema_cli.planning.windows import WindowConfig, plan_windows
from cinema_cli.storyboard import CastMember, Portrait, Shot, Storyboard


def film(count: int, **steered: dict[str, tuple[str, ...]]) -> Storyboard:
    shots = [
        Shot(id=f"{n:04d}", caption="x", duration="2", **steered.get(f"s{n}", {}))
        for n in range(1, count + 1)
    ]
    return Storyboard(frame_size=(32, 64), shots=shots)


def windows(board: Storyboard, stale: set[int], **config: object) -> list[tuple[list[int], bool]]:
    made = plan_windows(board, {f"{n:04d}" for n in stale}, WindowConfig(**{"window": 8, **config}))
    return [([int(id) for id in window.drawn], window.remembers) for window in made]


def test_a_new_film_that_fits_is_drawn_jointly() -> None:
    assert windows(film(8), set(range(1, 9))) == [([1, 2, 3, 4, 5, 6, 7, 8], False)]
    assert windows(film(3), set()) == []


def test_a_longer_one_is_extended_frame_by_frame_or_a_few_at_a_time() -> None:
    assert windows(film(9), set(range(1, 10))) == [([n], True) for n in range(1, 10)]
    assert windows(film(9), set(range(1, 10)), at_once=4) == [
        ([1, 2, 3, 4], True),
        ([5, 6, 7, 8], True),
        ([9], True),
    ]


def test_the_mode_can_be_told() -> None:
    assert windows(film(9), set(range(1, 10)), mode="joint") == [(list(range(1, 10)), False)]
    assert windows(film(2), {1, 2}, mode="extend") == [([1], True), ([2], True)]


def test_what_is_not_stale_is_remembered_and_never_drawn() -> None:
    assert windows(film(8), {3}) == [([3], True)]
    assert windows(film(8), {3}, mode="joint") == [([3], True)]  # the others cannot be drawn with it


def test_shots_whose_memory_is_steered_are_drawn_by_themselves() -> None:
    board = film(5, s3={"pin": ("0001",)}, s4={"forbid": ("0002",)})
    assert windows(board, set(range(1, 6)), at_once=2) == [
        ([1, 2], True),
        ([3], True),
        ([4], True),
        ([5], True),
    ]
    assert windows(board, set(range(1, 6)), mode="joint") == [([1, 2, 3, 4, 5], False)]


def test_a_film_with_portraits_is_extended_and_only_the_same_are_seen_together() -> None:
    portrait = Portrait(
        picture="cast/Mira.png", caption="<Mira>.", film="Ours", shot="0001", picture_sha256="0" * 64
    )
    captions = ("A castle.", "<Tom> waves.", "<Mira> runs.", "<Mira> and <Tom> stand.", "<Tom> sits.")
    shots = [Shot(id=f"{n:04d}", caption=words, duration="2") for n, words in enumerate(captions, start=1)]
    cast = [CastMember(name="Mira", portrait=portrait), CastMember(name="Tom")]
    board = Storyboard(frame_size=(32, 64), cast=cast, shots=shots)
    everything = set(range(1, 6))
    assert windows(board, everything) == [([n], True) for n in range(1, 6)]
    assert windows(board, everything, at_once=4) == [([1, 2], True), ([3, 4], True), ([5], True)]
    assert windows(board, everything, mode="joint") == [([1, 2, 3, 4, 5], False)]
    without = board.model_copy(update={"cast": (CastMember(name="Mira"), cast[1])})
    assert windows(without, everything) == [([1, 2, 3, 4, 5], False)]
