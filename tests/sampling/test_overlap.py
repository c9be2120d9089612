from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinema_cli.errors import InputError
from cinema_cli.sampling import overlap
from cinema_cli.sampling.manifest import Header, Manifest, SampledFilm


@settings(max_examples=50)
@given(
    st.lists(
        st.sets(st.integers(0, 25), min_size=4, max_size=4).map(lambda s: tuple(sorted(s))),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([3, 256]),
)
def test_it_finds_the_worst_pair_wherever_it_stands(rows: list[tuple[int, ...]], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "ROWS", block)
        found = overlap.most_shared(np.array(rows))
    assert found == max((len(set(a) & set(b)) for a, b in combinations(rows, 2)), default=0)


def test_a_manifest_over_the_bar_names_its_film() -> None:
    films = tuple(SampledFilm(name=name, kept=9, sha256="a" * 64) for name in ("good", "bad"))
    header = Header(pairs=4, span=9, overlap=0.25, seed=0, effort=1, epoch=0, epochs=1, films=films)
    rows = np.array([[0, 1, 2, 3], [3, 4, 5, 6], [0, 1, 2, 3], [2, 3, 5, 8]], np.uint16)
    manifest = Manifest(header, rows, np.array([2, 4]))
    with pytest.raises(InputError, match="two sequences of bad share 2 keyframes, at most 1"):
        overlap.check_overlap(manifest, "here")
    overlap.check_overlap(Manifest(header, rows[:3], np.array([2, 3])), "here")
