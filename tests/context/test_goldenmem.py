import runpy
from collections import Counter
from math import floor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cinema_cli.config import build
from cinema_cli.context.goldenmem import PHI, GoldenMem, golden_sides, shrink, shrunken
from cinema_cli.errors import InputError

ROOT = Path(__file__).parents[2]
FULL = (25, 50)
"""A frame of 400 x 800 in tokens."""
SIZES = {(15, 30): 450, (9, 18): 162, (5, 10): 50}


@pytest.mark.parametrize(
    ("short_side", "sides"),
    [(25, (25, 15, 9, 5, 3)), (8, (8, 4, 2, 1)), (34, (34, 21, 12, 7, 4)), (30, (30, 18, 11, 6, 3))],
)
def test_each_side_is_the_last_one_by_phi_rounded_down(short_side, sides):
    assert golden_sides(short_side, len(sides) - 1) == sides


def test_the_closed_form_of_appendix_c_agrees_from_25_but_not_from_30():
    def closed(side: int) -> tuple[int, ...]:
        return tuple(floor(side / PHI**i) for i in range(5))

    assert golden_sides(25, 4) == closed(25)
    assert golden_sides(30, 4)[3] == 6
    assert closed(30)[3] == 7


def test_a_group_that_shrinks_to_nothing_is_told_with_what_fits():
    assert golden_sides(8, 3)[-1] == 1
    with pytest.raises(InputError, match=r"8 tokens shrinks to nothing in group 4. Take at most 3"):
        golden_sides(8, 4)
    with pytest.raises(InputError, match="shrinks to nothing"):
        GoldenMem(groups=4).layout(1, (8, 16))


@pytest.mark.parametrize(("frames", "tokens"), [(4, 2648), (8, 5296), (12, 7944)])
def test_the_layouts_of_table_3(frames, tokens):
    memory = GoldenMem(groups=3, frames=frames)
    layout = memory.layout(3 * frames, FULL)
    assert layout == tuple(size for size in SIZES for _ in range(frames))
    assert memory.capacity(FULL) == 3 * frames
    assert memory.cost(3 * frames, FULL) == tokens == frames * sum(SIZES.values())


@pytest.mark.parametrize(
    ("remembered", "sides"),
    [
        (0, []),
        (1, [15]),
        (2, [15, 9]),
        (4, [15, 15, 9, 9]),
        (5, [15, 15, 9, 9, 5]),
        (7, [15, 15, 15, 9, 9, 9, 5]),
    ],
)
def test_groups_are_equal_as_far_as_they_go_and_the_newest_are_largest(remembered, sides):
    assert [min(size) for size in GoldenMem().layout(remembered, FULL)] == sides


def test_by_size_is_the_same_layout_from_the_oldest():
    assert GoldenMem().by_size(5, FULL) == [
        ((5, 10), range(1)),
        ((9, 18), range(1, 3)),
        ((15, 30), range(3, 5)),
    ]
    assert GoldenMem(schedule="full").by_size(3, FULL) == [(FULL, range(3))]
    assert GoldenMem().by_size(0, FULL) == []


@given(
    st.integers(1, 40),
    st.sampled_from(["golden", "framepack", "full"]),
    st.sampled_from([FULL, (8, 16), (24, 13)]),
)
def test_by_size_holds_every_frame_once(remembered, schedule, grid):
    memory = GoldenMem(schedule=schedule)
    remembered = min(remembered, 19)
    oldest_first = [size for size, ranks in memory.by_size(remembered, grid) for _ in ranks]
    assert tuple(oldest_first[::-1]) == memory.layout(remembered, grid)
    assert [rank for _, ranks in memory.by_size(remembered, grid) for rank in ranks] == list(
        range(remembered)
    )


def test_framepack_keeps_one_two_and_sixteen():
    memory = GoldenMem(schedule="framepack")
    assert memory.capacity(FULL) == 19
    assert Counter(memory.layout(19, FULL)) == {(25, 50): 1, (12, 24): 2, (6, 12): 16}
    assert memory.cost(19, FULL) == 1250 + 2 * 288 + 16 * 72
    assert memory.layout(2, FULL) == ((25, 50), (12, 24))
    with pytest.raises(InputError, match="at most 19 frames, found 20"):
        memory.layout(20, FULL)
    with pytest.raises(InputError, match="one of 3 tokens, which would shrink to nothing"):
        memory.layout(1, (3, 6))


def test_full_shrinks_nothing():
    assert GoldenMem(schedule="full").layout(30, FULL) == (FULL,) * 30


@pytest.mark.parametrize(
    ("tokens", "most"),
    [(450, 1), (611, 1), (612, 2), (662, 3), (1223, 3), (1224, 4), (5295, 23), (5296, 24), (10**6, 24)],
)
def test_a_budget_of_tokens_bounds_what_is_remembered(tokens, most):
    memory = GoldenMem(tokens=tokens)
    assert memory.capacity(FULL) == most
    assert memory.cost(most, FULL) <= tokens


def test_a_budget_too_small_for_one_frame_is_an_error():
    with pytest.raises(InputError, match=r"at least 450 were wanted.*found 449"):
        GoldenMem(tokens=449).capacity(FULL)
    with pytest.raises(InputError, match="at least 1250 were wanted"):
        GoldenMem(schedule="framepack", tokens=449).capacity(FULL)


@given(
    st.integers(1, 16), st.integers(1, 60), st.integers(1, 30000), st.sampled_from([FULL, (34, 34), (50, 28)])
)
def test_the_budget_is_used_as_far_as_it_goes(groups, frames, tokens, grid):
    """The cost grows with every frame, so that the search for the last fitting one is right."""
    memory = GoldenMem(groups=min(groups, 5), frames=frames, tokens=tokens)
    costs = [memory.cost(m, grid) for m in range(1, memory.groups * frames + 1)]
    assert costs == sorted(costs)
    fitting = [m for m, cost in enumerate(costs, start=1) if cost <= tokens]
    if fitting:
        assert memory.capacity(grid) == fitting[-1]
    else:
        with pytest.raises(InputError, match=f"found {tokens}"):
            memory.capacity(grid)


@pytest.mark.parametrize(
    ("grid", "sizes"),
    [
        ((25, 44), [(15, 26), (9, 16), (5, 9)]),  # 16:9
        ((25, 33), [(15, 20), (9, 12), (5, 7)]),  # 4:3
        ((50, 25), [(30, 15), (18, 9), (10, 5)]),  # portrait
        ((25, 25), [(15, 15), (9, 9), (5, 5)]),
        ((8, 16), [(4, 8), (2, 4), (1, 2)]),  # the toy
    ],
)
def test_frames_of_every_shape_keep_it(grid, sizes):
    assert list(GoldenMem().layout(3, grid)) == sizes
    assert shrunken(grid, min(grid)) == grid


@given(st.integers(2, 90), st.integers(2, 90))
def test_a_frame_in_each_group_costs_less_than_phi_full_frames(height, width):
    """Appendix C: T < phi t_0, with as many groups as there are before a side is gone."""
    full, memory = height * width, 0
    for groups in range(1, 17):
        try:
            memory = GoldenMem(groups=groups, frames=1).cost(groups, (height, width))
        except InputError:
            break
    assert memory > 0
    assert full + memory < PHI * full


def test_the_config_refuses_what_means_nothing():
    for setting in ({"groups": 0}, {"frames": 0}, {"tokens": 0}, {"schedule": "silver"}):
        with pytest.raises(InputError, match=next(iter(setting))):
            build(GoldenMem, setting, "memory")


def pictures() -> torch.Tensor:
    """Two frames (2, 80, 160, 3), red at the left and blue at the right; the second one upside down."""
    frame = np.zeros((80, 160, 3), np.uint8)
    frame[:, :80], frame[:, 80:] = (200, 30, 40), (20, 60, 220)
    frame[:10] = 255
    return torch.from_numpy(np.stack([frame, frame[::-1]]))


def test_a_shrunken_picture_keeps_its_colours_and_their_places():
    small = shrink(pictures(), (16, 32))
    assert (small.shape, small.dtype) == ((2, 16, 32, 3), torch.uint8)
    for frame in small.int():
        assert (frame[8, 4] - torch.tensor([200, 30, 40])).abs().max() <= 2
        assert (frame[8, 28] - torch.tensor([20, 60, 220])).abs().max() <= 2
    assert small[0, 0].min() > 240 > small[1, 0].max()
    assert small[1, -1].min() > 240


def test_bright_edges_do_not_run_over():
    """Bicubic overshoots past white; as uint8 that would wrap to black."""
    frame = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    frame[:, :, 32:] = 255
    small = shrink(frame, (24, 24))[0, 12, :, 0].int()
    assert small[:10].max() < 32
    assert small[14:].min() > 223


def test_a_picture_of_that_size_is_returned_as_it_is():
    frames = pictures()
    assert shrink(frames, (80, 160)) is frames


@pytest.fixture(scope="module")
def figure() -> dict:
    return runpy.run_path(str(ROOT / "benchmarks" / "goldenmem_tokens.py"))


@pytest.mark.parametrize("text", [0, 512])
def test_the_tokens_of_the_document_are_those_of_figure_4(figure, text):
    assert figure["table"](text) in (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")


def test_figure_4_is_drawn_from_these_numbers(figure):
    """The curve of full size ends in the upper right corner of its panel; that of one-frame groups is low."""
    picture = np.asarray(figure["draw_figure"]()).astype(int)
    grey, red = (np.argwhere(np.abs(picture[:, :600] - c).sum(-1) < 60) for c in ((107,) * 3, (163, 50, 74)))
    top, bottom = figure["HEAD"], figure["HEAD"] + figure["PANEL"][1]
    assert grey[grey[:, 0] >= top - 2][0, 0] <= top + 8
    curve = red[red[:, 0] >= top]
    height = bottom - np.median(curve[curve[:, 1] > 200][:, 0])
    assert height == pytest.approx(figure["PANEL"][1] * 1932 / 60_000, abs=2)
