from itertools import pairwise
from xml.etree import ElementTree

import pytest

from cinema_cli.evaluation.plots import COLOURS, WIDTH, bar_plot, line_plot

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def words(svg: str) -> list[str]:
    return [str(text.text) for text in parsed(svg).iter(f"{SVG}text")]


def line(svg: str, number: int = 0) -> list[tuple[float, float]]:
    """The places that a line goes through."""
    points = list(parsed(svg).iter(f"{SVG}polyline"))[number].attrib["points"]
    return [tuple(map(float, point.split(","))) for point in points.split()]  # type: ignore[misc]


def tick(svg: str, label: str) -> tuple[float, float]:
    """Where a number of an axis stands."""
    found = next(text for text in parsed(svg).iter(f"{SVG}text") if text.text == label)
    return float(found.attrib["x"]), float(found.attrib["y"])


TWO = {"LCT": [(24, 3.0), (8, 4.0), (16, 3.5)], "Ours": [(8, 5.0), (48, 4.0)]}


def test_points_lie_where_the_axes_say() -> None:
    svg = line_plot(TWO, "Character", "pairs", "score", [8, 16, 24, 48], y_range=(0, 5))
    lct, ours = line(svg, 0), line(svg, 1)
    assert [place[0] for place in lct] == [tick(svg, label)[0] for label in ("8", "16", "24")]  # in order
    assert ours[0] == (tick(svg, "8")[0], tick(svg, "5")[1])
    assert ours[1] == (tick(svg, "48")[0], tick(svg, "4")[1])
    assert lct[1][1] == pytest.approx((tick(svg, "3")[1] + tick(svg, "4")[1]) / 2)


def test_everything_is_named_and_stays_inside() -> None:
    svg = line_plot(TWO, "Character", "pairs", "score")
    assert {"Character", "pairs", "score", "LCT", "Ours"} <= set(words(svg))
    for text in parsed(svg).iter(f"{SVG}text"):
        assert 0 <= float(text.attrib.get("x", "0")) <= WIDTH
    height = float(parsed(svg).attrib["height"])
    assert all(0 < x < WIDTH and 0 < y < height for x, y in (*line(svg, 0), *line(svg, 1)))


def test_lines_differ_in_more_than_colour() -> None:
    names = [f"line {number}" for number in range(8)]
    svg = line_plot({name: [(1, 1), (2, number)] for number, name in enumerate(names)}, "Many", "x", "y")
    looks = [
        (path.attrib["stroke"], path.attrib.get("stroke-dasharray"))
        for path in parsed(svg).iter(f"{SVG}polyline")
    ]
    assert len({colour for colour, _ in looks}) == len(COLOURS) == 8
    assert len({dash for _, dash in looks}) == 4
    rows = {tick(svg, name)[1] for name in names}
    assert len(rows) > 1  # a legend that is too long is broken


def test_an_interval_is_drawn_between_its_ends() -> None:
    svg = line_plot({"a": [(10, 3)]}, "T", "x", "y", [10], y_range=(0, 5), spread={"a": [(10, 2, 4)]})
    strokes = [path.attrib["d"] for path in parsed(svg).iter(f"{SVG}path") if "stroke-opacity" in path.attrib]
    x = tick(svg, "10")[0]
    assert len(strokes) == 1
    assert strokes[0].startswith(f"M{x:.1f} {tick(svg, '2')[1]:.1f}V{tick(svg, '4')[1]:.1f}M")


def test_intervals_at_one_place_stand_beside_each_other() -> None:
    series = {name: [(8.0, 3.0), (16.0, 2.0)] for name in "abc"}
    spread = {name: [(8.0, 2.5, 3.5)] for name in "ab"}
    svg = line_plot(series, "T", "x", "y", [8, 16], spread=spread)
    lefts = [line(svg, number)[0][0] for number in range(3)]
    assert lefts[1] == tick(svg, "8")[0]
    assert lefts[1] - lefts[0] == lefts[2] - lefts[1] == pytest.approx(5)


def test_a_line_without_points_is_named_as_not_measured() -> None:
    svg = line_plot({"LCT": [], "Ours": [(8, 1.0)]}, "T", "x", "y")
    assert "LCT: not measured" in words(svg)
    assert len(list(parsed(svg).iter(f"{SVG}polyline"))) == 1
    assert line_plot({}, "Nothing", "x", "y").startswith("<svg")


def test_words_of_strangers_stay_words() -> None:
    evil = '</svg><script>alert(1)</script>&"'
    for svg in (line_plot({evil: [(1, 2)]}, evil, evil, evil), bar_plot([(evil, 1.0)], evil, evil)):
        assert "<script" not in svg
        assert any(text.startswith("</svg>") for text in words(svg))


def test_numbers_that_are_none_are_an_error() -> None:
    with pytest.raises(AssertionError):
        line_plot({"a": [(1, float("nan"))]}, "T", "x", "y")


def test_bars_are_as_long_as_their_values() -> None:
    svg = bar_plot([("0001", 1.0), ("0002", 2.0), ("0003", None), ("0004", -1.0)], "Flow", "px")
    bars = list(parsed(svg).iter(f"{SVG}rect"))
    heights = [float(bar.attrib["height"]) for bar in bars]
    tops = [float(bar.attrib["y"]) for bar in bars]
    zero = tick(svg, "0")[1]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.02)
    assert heights[3] == pytest.approx(heights[0], abs=0.02)
    assert tops[0] + heights[0] == pytest.approx(zero, abs=0.1)
    assert tops[3] == pytest.approx(zero, abs=0.1)  # below
    told = [str(title.text) for title in parsed(svg).iter(f"{SVG}title")]
    assert told == ["0001: 1", "0002: 2", "0003: not measured", "0004: −1"]


@pytest.mark.parametrize("count", [1, 40, 1000])
def test_names_below_bars_do_not_run_into_each_other(count: int) -> None:
    svg = bar_plot([(f"{number:04d}", float(number)) for number in range(count)], "T")
    places = [
        float(text.attrib["x"])
        for text in parsed(svg).iter(f"{SVG}text")
        if text.attrib.get("font-size") == "11"
    ]
    assert len(places) >= 1
    assert all(after - before >= 28 for before, after in pairwise(places))
    assert len(list(parsed(svg).iter(f"{SVG}rect"))) == count
