import sys

from cinema_cli import runtime


def test_it_draws_a_film_and_prints_a_line(script, monkeypatch, capsys):
    # The script puts tests/ on the path; afterwards it is gone again.
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["long_film.py", "--shots", "4"])
    script("long_film").main()
    printed = capsys.readouterr().out.splitlines()
    (row,) = [line for line in printed if line.startswith("| 4 |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == 7
    # K and V of width 24; three frames in two groups, 2 x 8 and 2 tokens, each with 96 of text.
    itemsize = runtime.number_type(runtime.device()).itemsize
    assert int(cells[2].replace(",", "")) == 2 * 24 * itemsize * (3 * 96 + 2 * 8 + 2)
    assert any(line.startswith("4 frames drawn; story") for line in printed)
