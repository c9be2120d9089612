from cinema_cli.evaluation.stories import storyboard_of
from cinema_cli.evaluation.truth import film_looks, is_of_the_theatre, true_shots
from cinema_cli.storyboard import CastMember, Shot, Storyboard
from cinema_cli.theatre.captions import describe_look
from cinema_cli.theatre.screenplay import write_movie


def test_a_movie_of_the_theatre_is_known_from_its_captions_alone():
    for seed in range(20):
        movie = write_movie(seed, 12)
        board = storyboard_of(movie)
        shots = true_shots(board)
        assert is_of_the_theatre(board, shots)
        assert len(shots) == 12
        for true, shot in zip(movie.shots, shots.values(), strict=True):
            assert {f.puppet for f in shot.staged.figures} == {f.puppet for f in true.staged.figures}
            assert set(shot.described) == set(true.described)
        for one, other in zip(movie.shots, shots.values(), strict=True):
            for again, as_read in zip(movie.shots, shots.values(), strict=True):
                assert (one.staged.place == again.staged.place) == (
                    other.staged.place == as_read.staged.place
                )


def test_the_cast_tells_who_no_caption_describes():
    puppet = write_movie(3, 8).cast[0]
    caption = f"Wide shot. In the forest at night, <{puppet.name}> walks on the left."
    told = CastMember(name=puppet.name, look=describe_look(puppet))
    board = Storyboard(
        frame_size=(128, 256), cast=(told,), shots=(Shot(id="1", caption=caption, duration="2"),)
    )
    assert film_looks(board) == {puppet.name: puppet}
    assert true_shots(board)["1"].described == ()


def test_two_scenes_on_one_set_are_two_places():
    words = "Wide shot. In the forest at night, nobody."
    caption = words.replace(
        ", nobody", ", <A>, a tall tan-skinned puppet in a red coat and a blue top hat, waits"
    )
    shots = [
        Shot(id=str(i), caption=caption, duration="2", scene=scene) for i, scene in enumerate(("a", "b", "a"))
    ]
    layouts = [
        s.staged.place.layout for s in true_shots(Storyboard(frame_size=(128, 256), shots=shots)).values()
    ]
    assert layouts[0] == layouts[2] != layouts[1]


def test_a_film_of_another_world_is_none_of_the_theatre():
    captions = (
        "Wide shot of the city at night.",
        "A man in a red coat opens a door.",
        "Medium shot. <Bruce> looks at the rain by day.",
    )
    shots = tuple(Shot(id=str(i), caption=c, duration="2") for i, c in enumerate(captions))
    board = Storyboard(frame_size=(128, 256), shots=shots)
    assert not is_of_the_theatre(board, true_shots(board))
