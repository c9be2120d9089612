import pytest

from cinema_cli.evaluation.published import TABLE_1, TABLE_2, Table2Row
from cinema_cli.evaluation.report import FilmReport, Score, Section
from cinema_cli.evaluation.tables import (
    ASPECTS,
    escaped,
    film_names,
    markdown,
    paper_tables,
    score_row,
    shown,
    shown_cell,
    table_1,
    table_2,
)


def scores(unit: str = "", **values: float | None) -> tuple[Score, ...]:
    return tuple(
        Score.model_validate({"key": key, "text": key, "value": value, "unit": unit})
        for key, value in values.items()
    )


PIXELS = Section(
    name="pixels", title="Without downloads", how="By hand.", scores=scores("%", dynamic_degree=62.5)
)
ENCODERS = Section(
    name="encoders",
    title="Encoders: toy",
    how="By hand.",
    scores=(
        *scores("%", subject_consistency=92.0),
        *scores("0 to 1", background_consistency=0.96, identity_consistency=0.4),
        *scores("", text_alignment=0.314),
    ),
)
JUDGE = Section(
    name="judge",
    title="Judge",
    how="By hand.",
    scores=scores("0 to 5", **dict(zip(ASPECTS, (4.5, 3.5, 4.0, 3.0, 2.5, 1.5), strict=True))),
    notes=("Judged by somebody on a day.",),
)


def report(*sections: Section, title: str = "A film", folder: str = "a-film") -> FilmReport:
    return FilmReport(title=title, folder=folder, storyboard_sha256="a" * 64, shots=2, sections=sections)


def test_table_1_has_ours_below_the_papers() -> None:
    table = table_1([report(PIXELS, ENCODERS)])
    assert table.ours == len(TABLE_1) == len(table.rows) - 1
    assert table.rows[1] == ("LCT", "56.2", "59.9", "94.8*", "51.8", "23.9", "2.4", "3.1")
    assert table.rows[-1] == ("A film (measured here)", "-", "-", "94.0", "62.5", "31.4", "-", "-")
    assert any("Encoders: toy" in note for note in table.notes)


def test_consistency_wants_both_parts() -> None:
    half = ENCODERS.model_copy(
        update={"scores": scores("%", subject_consistency=None, background_consistency=96)}
    )
    assert table_1([report(half)]).rows[-1][3] == "-"
    assert table_1([report()]).rows[-1] == ("A film (measured here)", *["-"] * 7)
    assert table_1([report()]).notes == ()


def test_table_2_takes_films_and_rows_of_a_stress_test() -> None:
    stress = [Table2Row("puppets, GoldenMem", 48, identity=0.875)]
    table = table_2([report(JUDGE, ENCODERS), report(PIXELS)], stress)
    assert table.ours == len(TABLE_2)
    film, row = table.rows[len(TABLE_2) :]  # the second film was seen by no judge and no encoder
    assert film == ("A film (a-film) (measured here)", "-", "4.5", "3.5", "4.0", "3.0", "2.5", "1.5", "0.40")
    assert row == ("puppets, GoldenMem", "48", *["-"] * 6, "0.88")
    assert any("Judged by somebody on a day." in note for note in table.notes)
    assert any("ArcFace" in note for note in table.notes)
    assert ["ArcFace" in note for note in table_2([], stress).notes] == [True]
    assert table_2([], [Table2Row("no identity", 8, 4.9)]).notes == ()


def test_the_papers_tables_as_markdown() -> None:
    text = paper_tables([report(PIXELS)], [Table2Row("mine", 8, 4.9)])
    lines = text.splitlines()
    assert "| LCT | 56.2 | 59.9 | 94.8\\* | 51.8 | 23.9 | 2.4 | 3.1 |" in lines
    assert "| **A film (measured here)** | - | - | - | 62.5 | - | - | - |" in lines
    assert "| **mine** | 8 | 4.9 | - | - | - | - | - | - |" in lines
    assert lines[-1].startswith("Numbers of another encoder")


def test_all_scores_of_a_film_as_markdown() -> None:
    section = Section(
        name="pixels",
        title="Without downloads",
        how="By hand.",
        scores=(
            Score(
                key="a", text="Found", value=50, unit="%", n=4, low=15, high=85, better="higher", target="90"
            ),
            Score(key="b", text="Missing", value=None, note="no film"),
        ),
        columns=("sharp", "dynamic"),
        shots={"0001": (12.345, True), "0002": (None, False)},
        notes=("0002 repeats 0001.",),
    )
    lines = markdown([report(section)]).splitlines()
    assert "| Found ↑ | 50.0 % | 15.0 % to 85.0 % | 4 | 90 |  |" in lines
    assert "| Missing | - |  |  |  | no film |" in lines
    assert "| 0001 | 12.3 | yes |" in lines
    assert "| 0002 | - | no |" in lines
    assert "- 0002 repeats 0001." in lines
    tables = [line for line in lines if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_a_title_from_a_stranger_stays_text() -> None:
    title = "# <b>A|B</b>\n* [link](x) & `code`"
    text = markdown([report(PIXELS, title=title)])
    assert "<b>" not in text
    assert "## \\# &lt;b>A\\|B&lt;/b> \\* \\[link](x) &amp; \\`code\\`" in text
    assert escaped("a_b ~ !") == "a\\_b \\~ \\!"


def test_films_of_one_title_are_told_apart() -> None:
    reports = [report(title="One", folder="x"), report(title="One", folder="y"), report(title="", folder="z")]
    assert film_names(reports) == ["One (x)", "One (y)", "z"]


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (None, "%", "-"),
        (93.44, "%", "93.4 %"),
        (31.25, "dB", "31.2 dB"),
        (0.91234, "0 to 1", "0.912"),
        (4.5, "0 to 5", "4.50"),
        (3.989, "px", "3.99 px"),
        (6.1749, "", "6.17"),
        (12345.6, "", "12346"),
    ],
)
def test_numbers_carry_their_unit(value: float | None, unit: str, told: str) -> None:
    assert shown(value, unit) == told  # type: ignore[arg-type]


def test_cells_and_rows() -> None:
    assert [shown_cell(cell) for cell in (None, True, False, 3, "0004", 0.12345, 1234.5)] == [
        "-", "yes", "no", "3", "0004", "0.123", "1234.5",
    ]  # fmt: skip
    assert score_row(Score(key="a", text="A", value=1.0, better="lower"))[0] == "A ↓"
