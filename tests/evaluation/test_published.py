from dataclasses import astuple

from cinema_cli.evaluation.published import TABLE_1, TABLE_2

# As printed in the paper; bold type and underlines are left out, and so are names of the authors cited.
PAPER_1 = """
IC-LoRA 54.1 60.5 88.7 61.1 23.1 1.5 2.3
LCT 56.2 59.9 94.8* 51.8 23.9 2.4 3.1
Ours (w/o MF-FT) 56.8 60.9 91.9 64.4 25.7 2.8 3.5
Ours 57.2 61.7 91.0 65.4 26.1 3.3 3.7
"""
PAPER_2 = """
LCT 8 4.3 3.5 4.8 4.1 3.0 2.8 0.43
LCT 16 3.6 3.4 4.5 3.9 2.5 2.8 0.31
LCT 24 3.1 0.7 1.6 1.6 1.7 0.6 0.14
Ours 8 4.9 3.9 4.9 4.7 4.5 4.0 0.51
Ours 16 4.8 3.8 4.9 4.6 4.2 3.8 0.47
Ours 24 4.6 3.8 4.9 4.6 4.2 3.6 0.42
Ours 32 4.5 3.8 4.9 4.6 3.9 3.4 0.37
Ours (w/ G.Mem) 16 4.6 3.8 4.9 4.6 4.2 3.8 0.44
Ours (w/ G.Mem) 32 4.6 3.5 4.7 4.6 4.0 3.5 0.35
Ours (w/ G.Mem) 48 4.5 3.0 4.7 4.5 3.9 3.3 0.31
"""


def printed(table: str, columns: int) -> list[tuple[str, ...]]:
    """Name and numbers of each row, the numbers being the last words of a line."""
    return [tuple(line.rsplit(" ", columns)) for line in table.strip().splitlines()]


def test_table_1_is_as_printed() -> None:
    rows = []
    for row in TABLE_1:
        method, *numbers, mark = astuple(row)
        told = [f"{number:.1f}" for number in numbers]
        told[2] += mark
        rows.append((method.replace("Captain Cinema", "Ours"), *told))
    assert rows == printed(PAPER_1, 7)


def test_table_2_is_as_printed() -> None:
    rows = []
    for row in TABLE_2:
        method, pairs, *aspects, identity = astuple(row)
        told = [str(pairs), *(f"{aspect:.1f}" for aspect in aspects), f"{identity:.2f}"]
        rows.append((method.replace("Captain Cinema", "Ours"), *told))
    assert rows == printed(PAPER_2, 8)
