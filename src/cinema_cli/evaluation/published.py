"""What the paper published: the rows of Table 1 and Table 2, number by number (4.1).

A row of ours has the same type, so that it can stand below them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table1Row:
    """A method in Table 1; none where nothing was measured."""

    method: str
    aesthetic: float | None = None
    quality: float | None = None
    consistency: float | None = None
    """Mean of subject and background consistency, in per cent."""
    dynamic: float | None = None
    """Share of clips that move, in per cent."""
    text: float | None = None
    """Alignment of words and picture, times 100."""
    user_quality: float | None = None
    user_semantic: float | None = None
    mark: str = ""
    """Behind the consistency: a footnote."""


@dataclass(frozen=True)
class Table2Row:
    """A method at one length of context in Table 2; none where nothing was measured."""

    method: str
    pairs: int | None = None
    """Interleaved pairs in the context."""
    character: float | None = None
    """This and the next five: a judge's scores, 0 to 5."""
    scene: float | None = None
    visual: float | None = None
    aesthetic: float | None = None
    diversity: float | None = None
    narrative: float | None = None
    identity: float | None = None
    """VBench-2.0's Human_Identity, 0 to 1."""


TABLE_1_CAPTION = (
    "Table 1: Quantitative evaluation and user study. “Consistency” is the mean of subject and background "
    "consistency. *: Most video clips show low temporal dynamic but perform high TC score."
)
TABLE_1 = (
    Table1Row("IC-LoRA", 54.1, 60.5, 88.7, 61.1, 23.1, 1.5, 2.3),
    Table1Row("LCT", 56.2, 59.9, 94.8, 51.8, 23.9, 2.4, 3.1, mark="*"),
    Table1Row("Captain Cinema (w/o MF-FT)", 56.8, 60.9, 91.9, 64.4, 25.7, 2.8, 3.5),
    Table1Row("Captain Cinema", 57.2, 61.7, 91.0, 65.4, 26.1, 3.3, 3.7),
)

TABLE_2_CAPTION = (
    "Table 2: Long-context stress test. Gemini 2.5 Flash rates the quality in six aspects (appendix H); "
    "Identity is the automatic identity consistency of VBench-2.0."
)
TABLE_2 = (
    Table2Row("LCT", 8, 4.3, 3.5, 4.8, 4.1, 3.0, 2.8, 0.43),
    Table2Row("LCT", 16, 3.6, 3.4, 4.5, 3.9, 2.5, 2.8, 0.31),
    Table2Row("LCT", 24, 3.1, 0.7, 1.6, 1.6, 1.7, 0.6, 0.14),
    Table2Row("Captain Cinema", 8, 4.9, 3.9, 4.9, 4.7, 4.5, 4.0, 0.51),
    Table2Row("Captain Cinema", 16, 4.8, 3.8, 4.9, 4.6, 4.2, 3.8, 0.47),
    Table2Row("Captain Cinema", 24, 4.6, 3.8, 4.9, 4.6, 4.2, 3.6, 0.42),
    Table2Row("Captain Cinema", 32, 4.5, 3.8, 4.9, 4.6, 3.9, 3.4, 0.37),
    Table2Row("Captain Cinema (w/ G.Mem)", 16, 4.6, 3.8, 4.9, 4.6, 4.2, 3.8, 0.44),
    Table2Row("Captain Cinema (w/ G.Mem)", 32, 4.6, 3.5, 4.7, 4.6, 4.0, 3.5, 0.35),
    Table2Row("Captain Cinema (w/ G.Mem)", 48, 4.5, 3.0, 4.7, 4.5, 3.9, 3.3, 0.31),
)
