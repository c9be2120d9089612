"""Shots of the theatre, staged for a test."""

from cinema_cli.theatre.world import Figure, MovieShot, Place, Puppet, StagedShot


def movie_shot(*puppets: tuple[str, str, str], described=(), layout=1, size="wide") -> MovieShot:
    positions = ("middle",) if len(puppets) == 1 else ("left", "right")
    figures = tuple(
        Figure(Puppet(name, coat, hat, "round", "tan", "tall"), position, "right", "stands")
        for (name, coat, hat), position in zip(puppets, positions, strict=False)
    )
    staged = StagedShot(Place("beach", layout), "day", size, figures)
    return MovieShot(staged, f"{[p[0] for p in puppets]}", tuple(described))
