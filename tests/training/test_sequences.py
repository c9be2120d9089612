import random

from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.training.sequences import renamed


def test_puppets_get_new_names_and_keep_their_looks() -> None:
    shots = write_movie(5, 8).shots
    other = renamed(shots, random.Random(0))
    old, new = ([f.puppet for s in film for f in s.staged.figures] for film in (shots, other))
    binding = {a.name: b.name for a, b in zip(old, new, strict=True)}
    assert len(set(binding.values())) == len(binding) > 1
    for a, b in zip(old, new, strict=True):
        assert binding[a.name] == b.name != a.name
        assert (a.coat, a.hat, a.hat_shape, a.skin, a.build, a.prop) == (
            b.coat,
            b.hat,
            b.hat_shape,
            b.skin,
            b.build,
            b.prop,
        )
    assert [s.staged.place for s in shots] == [s.staged.place for s in other]
    assert renamed(shots, random.Random(0)) == other
