"""Stories of the stress test: movies of the theatre as storyboards that are still to be drawn."""

from cinema_cli.storyboard import CastMember, Shot, Storyboard
from cinema_cli.theatre.captions import describe_look
from cinema_cli.theatre.world import CLIP_FRAMES, CLIP_RATE, FRAME_SIZE, Movie

SHOT_SECONDS = f"{CLIP_FRAMES}/{CLIP_RATE}"


def storyboard_of(movie: Movie) -> Storyboard:
    """The storyboard of a movie, without pictures: a look is told where its puppet first appears.

    Each shot's seed is its number, so that the same story starts from the same noise in every setting.
    """
    cast = tuple(CastMember(name=puppet.name, look=describe_look(puppet)) for puppet in movie.cast)
    shots = tuple(
        Shot(id=f"{number:04d}", caption=shot.caption, duration=SHOT_SECONDS, seed=number)
        for number, shot in enumerate(movie.shots, start=1)
    )
    return Storyboard(title=movie.title, caption=movie.caption, frame_size=FRAME_SIZE, cast=cast, shots=shots)
