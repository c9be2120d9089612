"""``plan_film`` on real files, with tiny random models."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.weights import weights_sha256
from cinema_cli.planning.board import PREVIOUS_NAME
from cinema_cli.planning.plan import Desk, plan_film
from cinema_cli.progress import Progress
from cinema_cli.storyboard import Storyboard
from planned_films import STORY, again, changed, configured, edit, pictures, plan, written
from tiny_models import FRAME_SIZE, build_tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def story(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture(scope="module")
def drawn(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story's film, planned once."""
    story = written(tmp_path_factory.mktemp("drawn"))
    plan(story, model)
    return story.with_name("film")


@pytest.fixture
def film(story: Path, drawn: Path) -> Path:
    """That film, beside the story."""
    return Path(shutil.copytree(drawn, story.with_name("film")))


def test_a_story_becomes_a_storyboard_with_pictures(story: Path, model: Path) -> None:
    made = plan(story, model)
    assert (made.shots, made.drawn, made.skipped) == (3, 3, 0)
    assert list(made.seconds) == ["story", "load", "draw", "write"]
    board = Storyboard.load(made.storyboard)
    assert (board.title, board.frame_size, board.frame_rate) == ("The Two Lamps", FRAME_SIZE, "24")
    assert [member.name for member in board.cast] == ["Mira", "Tom"]
    assert [shot.id for shot in board.shots] == ["0001", "0002", "0003"]
    assert len({shot.seed for shot in board.shots}) == 3
    told = [board.cast[0].look in shot.caption for shot in board.shots]
    assert told == [True, False, False]
    for shot in board.shots:
        assert shot.duration == "2"
        assert shot.keyframe == f"keyframes/{shot.id}.png"
        assert shot.keyframe_made_with is not None
        assert shot.context == ()
        with Image.open(made.storyboard.parent / shot.keyframe) as picture:
            assert (picture.format, picture.size) == ("PNG", FRAME_SIZE[::-1])
    assert made.contact_sheet.read_text(encoding="utf-8").count("data:image/jpeg") >= 3
    with Image.open(made.contact_sheet.with_suffix(".png")) as sheet:
        assert sheet.width > 3 * 320
    assert not list(made.storyboard.parent.glob("**/.*.part*"))


def test_planned_again_nothing_is_drawn(story: Path, film: Path, model: Path) -> None:
    before, document = pictures(film), (film / "storyboard.json").read_bytes()
    again = plan(story, model)
    assert (again.drawn, again.skipped) == (0, 3)
    assert pictures(film) == before
    assert (film / "storyboard.json").read_bytes() == document
    assert again.notes == ()


def test_an_edited_caption_draws_that_shot_alone_beside_the_others(
    story: Path, film: Path, model: Path
) -> None:
    before = pictures(film)
    edit(film, "0002", caption="Wide shot. <Tom> jumps on the beach.")
    again = plan(story, model)
    assert (again.drawn, again.skipped) == (1, 2)
    assert changed(film, before) == ["0002"]
    shot = Storyboard.load(film).shot("0002")
    assert shot.caption == "Wide shot. <Tom> jumps on the beach."
    told = [(each.shot, each.why, each.by, each.short_side_tokens) for each in shot.context]
    assert told == [("0001", "score", "clip", 2), ("0003", "score", "clip", 1)]
    assert all(each.score is not None and -1 <= each.score <= 1 for each in shot.context)


def test_another_look_is_drawn_where_the_caption_tells_no_own(story: Path, film: Path, model: Path) -> None:
    before = pictures(film)
    board = Storyboard.load(film)
    mira = board.cast[0].model_copy(update={"look": "a short puppet in a white coat"})
    board.model_copy(update={"cast": (mira, board.cast[1])}).save(film)
    again = plan(story, model)
    assert changed(film, before) == ["0003"]
    assert again.notes == (
        "shot 0001: <Mira> is described otherwise than in the cast; there the caption counts",
    )


def test_what_makes_pictures_stale(film: Path, model: Path) -> None:
    board, weights = Storyboard.load(film), weights_sha256(model / "keyframes")
    everything = {"0001", "0002", "0003"}
    config = configured(model)
    assert Desk(film, config, weights).stale(board) == set()
    for other in ({"steps": 3}, {"guidance": 2.0}, {"shift": 3.0}, {"text_length": 100}):
        assert Desk(film, config.model_copy(update=other), weights).stale(board) == everything
    for other in ({"window": 4}, {"mode": "extend"}, {"context_level": 0.2}, {"preset": "x"}):
        assert Desk(film, config.model_copy(update=other), weights).stale(board) == set()
    assert Desk(film, config, "0" * 64).stale(board) == everything
    assert Desk(film, config, weights).stale(board.model_copy(update={"frame_size": (32, 96)})) == everything


def test_how_far_guidance_reaches_counts_only_where_there_is_some(
    story: Path, film: Path, model: Path
) -> None:
    assert plan(story, model, guidance=1.0, guidance_above=0.9).drawn == 0
    assert plan(story, model, guidance=2.0).drawn == 3
    assert plan(story, model, guidance=2.0, guidance_above=0.9).drawn == 3
    assert plan(story, model, guidance=2.0, guidance_above=0.9).drawn == 0


def test_redo_draws_with_another_seed(story: Path, film: Path, model: Path) -> None:
    before, seeds = pictures(film), [shot.seed for shot in Storyboard.load(film).shots]
    assert plan(story, model, redo=("2",)).drawn == 1
    assert changed(film, before) == ["0002"]
    assert Storyboard.load(film).shot("0002").seed == seeds[1] + 1
    chosen = plan(story, model, redo=("2", "0003"), seed=5)
    assert chosen.drawn == 2
    now = [shot.seed for shot in Storyboard.load(film).shots]
    assert [a == b for a, b in zip(now, seeds, strict=True)] == [True, False, False]
    assert plan(story, model).drawn == 0
    with pytest.raises(InputError, match="no shot '9'"):
        plan(story, model, redo=("9",))


def test_another_seed_is_another_film(story: Path, film: Path, model: Path) -> None:
    before = pictures(film)
    assert plan(story, model, seed=0).drawn == 0
    assert plan(story, model, seed=4).drawn == 3
    assert len(changed(film, before)) == 3
    assert plan(story, model).drawn == 0
    assert plan(story, model, seed=0).drawn == 3
    assert pictures(film) == before


def test_a_broken_picture_is_told_and_drawn_again_on_demand(story: Path, film: Path, model: Path) -> None:
    path = film / "keyframes" / "0002.png"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(InputError, match=r"0002\.png.*keyframe of shot 0002.*--redo 0002"):
        plan(story, model)
    assert plan(story, model, redo=("2",)).drawn == 1
    path.unlink()
    assert plan(story, model).drawn == 1


def test_a_picture_of_ones_own_stays(story: Path, film: Path, model: Path) -> None:
    own = np.zeros((*FRAME_SIZE, 3), dtype=np.uint8)
    own[:, 20:] = 200
    Image.fromarray(own).save(film / "keyframes" / "own.png")
    edit(film, "0002", keyframe="keyframes/own.png", keyframe_made_with=None, caption="Mine.")
    assert plan(story, model).drawn == 0
    assert Storyboard.load(film).shot("0002").keyframe == "keyframes/own.png"
    (film / "keyframes" / "own.png").rename(film / "mine.png")
    with pytest.raises(InputError, match=r"own\.png: .* no such file.*keyframe of shot 0002"):
        plan(story, model)
    Image.fromarray(own[:20]).save(film / "keyframes" / "own.png")
    with pytest.raises(InputError, match=r"own\.png: .*32 x 64.*found 20 x 64.*keyframe of shot 0002"):
        plan(story, model)
    assert plan(story, model, redo=("2",)).drawn == 1
    assert Storyboard.load(film).shot("0002").keyframe == "keyframes/0002.png"


def test_a_sentence_put_in_draws_one_picture(story: Path, film: Path, model: Path) -> None:
    before = pictures(film)
    told = [shot.caption for shot in Storyboard.load(film).shots]
    story.write_text(STORY.replace("Mira, a", "Mira slept in the desert at noon.\n\nMira, a"))
    again = plan(story, model)
    board = Storyboard.load(film)
    assert [shot.id for shot in board.shots] == ["0004", "0001", "0002", "0003"]
    assert changed(film, before) == ["0004"]
    assert "desert" in board.shots[0].caption
    # Mira appears in the new shot first, so that one tells her look now.
    assert [board.cast[0].look in shot.caption for shot in board.shots] == [True, False, False, False]
    assert [shot.caption for shot in Storyboard.load(film / PREVIOUS_NAME).shots] == told
    assert PREVIOUS_NAME in again.notes[0]
    assert plan(story, model).drawn == 0


def test_a_shot_that_was_told_otherwise_keeps_its_number(story: Path, film: Path, model: Path) -> None:
    before = pictures(film)
    story.write_text(STORY.replace("jumped for joy in the forest", "jumped for joy on the farm"))
    assert plan(story, model).drawn == 1
    assert changed(film, before) == ["0003"]
    assert [shot.id for shot in Storyboard.load(film).shots] == ["0001", "0002", "0003"]


def test_another_number_of_shots_plans_anew_and_is_remembered(story: Path, film: Path, model: Path) -> None:
    more = plan(story, model, shots=5)
    assert (more.shots, plan(story, model).shots) == (5, 5)
    assert more.drawn < 5
    assert len(pictures(film)) == 5
    assert plan(story, model, shots=2).shots == 2


def test_a_storyboard_is_drawn_where_it_lies(story: Path, film: Path, model: Path) -> None:
    (film / "keyframes" / "0002.png").unlink()
    with pytest.raises(InputError, match="a storyboard is drawn where it lies"):
        plan_film(film / "storyboard.json", story.parent / "other", configured(model), Progress(quiet=True))
    assert again(film, model).drawn == 1
    with pytest.raises(InputError, match="a storyboard was wanted, but there is none"):
        plan_film(story.parent / "nothing" / "storyboard.json", None, configured(model), Progress(quiet=True))


def test_looks_are_told_once_in_the_storyboard_and_every_time_to_the_model(
    story: Path, model: Path, tmp_path: Path
) -> None:
    trained = Path(shutil.copytree(model, tmp_path / "trained"))
    (trained / "keyframes" / "cinema.json").write_text("{}")  # stock weights are told every look regardless
    plan(story, trained)
    film = story.with_name("film")
    before = pictures(film)
    plan(story, trained, repeat_looks=False)
    # The only caption that names somebody without a look is the third.
    assert changed(film, before) == ["0003"]


def test_a_caption_that_is_too_long_is_told(story: Path, model: Path) -> None:
    made = plan(story, model, text_length=8)
    assert [note for note in made.notes if "8 tokens" in note] == [
        f"shot 000{n}: its caption is longer than 8 tokens; the end is not read" for n in (1, 2, 3)
    ]


def test_a_storyboard_of_another_kind_is_never_replaced(story: Path, model: Path) -> None:
    out = story.parent / "film"
    Storyboard(frame_size=FRAME_SIZE, title="Ingested").save(out)
    before = (out / "storyboard.json").read_bytes()
    with pytest.raises(InputError, match="Choose another folder"):
        plan(story, model)
    assert (out / "storyboard.json").read_bytes() == before


def test_a_drawing_that_fails_writes_no_picture(story: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model = build_tiny_models(tmp_path / "models")
    path = next((model / "keyframes" / "vae").glob("*.safetensors"))
    weights = {n: w * 0 if "conv_out" in n else w for n, w in load_file(path).items()}
    save_file(weights, path, {"format": "pt"})
    with pytest.raises(Exception, match="nothing but the colour"):
        plan(story, model)
    assert not (story.parent / "film" / "keyframes").exists()
    assert Storyboard.load(story.parent / "film").shots[0].keyframe is None


def test_without_weights_nothing_is_written(story: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="Weights for keyframes"):
        plan(story, tmp_path / "nowhere")
    assert [path.name for path in tmp_path.iterdir()] == ["story.txt"]


def test_a_file_is_no_folder(story: Path, model: Path) -> None:
    (story.parent / "film").write_text("mine")
    with pytest.raises(InputError, match="a folder for the film"):
        plan(story, model)
    assert (story.parent / "film").read_text() == "mine"
