from cinema_cli.evaluation.keyframe_trials import shuffled_captions
from cinema_cli.theatre.screenplay import write_movie


def test_shuffled_captions_tell_no_look_of_the_movie():
    shots, other = write_movie(5, 8).shots, write_movie(6, 8).shots
    captions = shuffled_captions(shots, other)
    for shot, caption in zip(shots, captions, strict=True):
        assert (caption in {o.caption for o in other if o.described}) == bool(shot.described)
        assert (caption == shot.caption) == (not shot.described)
