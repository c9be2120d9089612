"""``plan_film`` on real files, with tiny random models."""

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinema_cli.errors import InputError, Interrupted, MissingError
from cinema_cli.models.weights import weights_sha256
from cinema_cli.planning.board import PREVIOUS_NAME
from cinema_cli.planning.plan import Desk, PlanConfig, PlanResult, plan_film
from cinema_cli.progress import Progress, Task
from cinema_cli.storyboard import Storyboard
from tiny_models import FRAME_SIZE, build_tiny_models

STORY = """The Two Lamps

Mira, a tall girl in a red coat, walked along the harbour at night with a lantern.

Tom waved at the castle in the morning.

Mira jumped for joy in the forest.
"""


class StopsAt(Progress):
    """Somebody presses Ctrl-C at a step."""

    def __init__(self, step: int) -> None:
        super().__init__(quiet=True)
        self.step = step

    def task(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> Task:
        return StoppingTask(self, what, total, unit, done)


class StoppingTask(Task):
    def advance(self, count: int = 1, note: str = "") -> None:
        super().advance(count, note)
        assert isinstance(self._progress, StopsAt)
        if self.count == self._progress.step:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(STORY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def drawn(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story's film, planned once."""
    story = tmp_path_factory.mktemp("drawn") / "story.txt"
    story.write_text(STORY, encoding="utf-8")
    plan(story, model)
    return story.with_name("film")


@pytest.fixture
def film(story: Path, drawn: Path) -> Path:
    """That film, beside the story."""
    return Path(shutil.copytree(drawn, story.with_name("film")))


MEMORY = {"groups": 2, "frames": 3}
"""Frames of 4 x 8 tokens are remembered at 2 x 4 and 1 x 2."""
ALL = {"duplicate": 1}
"""A CLIP of random weights finds all pictures alike."""


def configured(model: Path, **changes: object) -> PlanConfig:
    small = {
        "frame_size": FRAME_SIZE,
        "steps": 2,
        "text_length": 512,
        "window": 8,
        "memory": MEMORY,
        "retrieval": ALL,
    }
    return PlanConfig(**{"model": str(model), **small, **changes})


def plan(story: Path, model: Path, progress: Progress | None = None, **changes: object) -> PlanResult:
    return plan_film(
        story, story.parent / "film", configured(model, **changes), progress or Progress(quiet=True)
    )


def again(film: Path, model: Path, more: Path | None = None, **changes: object) -> PlanResult:
    """The film's own storyboard, planned once more."""
    return plan_film(film / "storyboard.json", None, configured(model, **changes), Progress(quiet=True), more)


def saw(film: Path, id: str) -> list[str]:
    return [each.shot for each in Storyboard.load(film).shot(id).context]


def pictures(film: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (film / "keyframes").iterdir()}


def changed(film: Path, before: dict[str, bytes]) -> list[str]:
    return sorted(name for name, content in pictures(film).items() if before.get(name) != content)


def edit(film: Path, id: str, **changes: object) -> None:
    Storyboard.load(film).with_shot(id, **changes).save(film)


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
    assert changed(film, before) == ["0002.png"]
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
    assert changed(film, before) == ["0003.png"]
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
    assert changed(film, before) == ["0002.png"]
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
    assert changed(film, before) == ["0004.png"]
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
    assert changed(film, before) == ["0003.png"]
    assert [shot.id for shot in Storyboard.load(film).shots] == ["0001", "0002", "0003"]


def test_another_number_of_shots_plans_anew_and_is_remembered(story: Path, film: Path, model: Path) -> None:
    more = plan(story, model, shots=5)
    assert (more.shots, plan(story, model).shots) == (5, 5)
    assert more.drawn < 5
    assert len(pictures(film)) == 5
    assert plan(story, model, shots=2).shots == 2


def test_a_long_film_is_extended_and_remembers_no_more_than_fits(story: Path, model: Path) -> None:
    made = plan(story, model, shots=12, steps=1)
    board = Storyboard.load(made.storyboard)
    assert made.drawn == 12
    assert [len(shot.context) for shot in board.shots] == [0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6]
    order = [shot.id for shot in board.shots]
    for place, shot in enumerate(board.shots):
        places = [order.index(each.shot) for each in shot.context]
        assert places == sorted(places)
        assert all(other < place for other in places)
    sizes = [each.short_side_tokens for each in board.shots[-1].context]
    assert sizes == [1, 1, 1, 2, 2, 2]  # the newest are remembered largest
    assert "2 tokens" in made.contact_sheet.read_text(encoding="utf-8")


def test_at_once_draws_several_beside_the_same_memory(story: Path, model: Path) -> None:
    plan(story, model, shots=7, steps=1, mode="extend", at_once=3)
    shots = Storyboard.load(story.parent / "film").shots
    assert [len(shot.context) for shot in shots[:3]] == [0, 0, 0]
    assert shots[3].context == shots[4].context == shots[5].context != ()
    assert "0004" in [each.shot for each in shots[6].context]


def test_pinned_shots_are_remembered_and_forbidden_ones_are_not(story: Path, model: Path) -> None:
    film = story.parent / "film"
    plan(story, model, shots=6, steps=1)
    edit(film, "0006", pin=("0001",), forbid=("0004", "0005"))
    again(film, model, redo=("6",), steps=1, memory={"groups": 1, "frames": 2})
    shot = Storyboard.load(film).shot("0006")
    assert [each.why for each in shot.context if each.shot == "0001"] == ["pin"]
    assert not {"0004", "0005"} & {each.shot for each in shot.context}
    assert len(shot.context) == 2
    edit(film, "0006", pin=("0001", "0002", "0003"), forbid=())
    with pytest.raises(InputError, match=r"shot 0006: pin: at most 2 shots fit the memory, found 3; 0003"):
        again(film, model, redo=("6",), steps=1, memory={"groups": 1, "frames": 2})


def test_t5_and_recency_can_choose_instead(story: Path, film: Path, model: Path) -> None:
    for kind, why in (("t5", "score"), ("recency", "recent")):
        again(film, model, redo=("3",), retrieval={"kind": kind, **ALL})
        context = Storyboard.load(film).shot("0003").context
        assert [(each.shot, each.by, each.why) for each in context] == [
            ("0001", kind, why),
            ("0002", kind, why),
        ]


def test_without_clip_the_way_out_is_told(story: Path, film: Path, model: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(model, tmp_path / "other"))
    shutil.rmtree(other / "clip")
    with pytest.raises(MissingError, match=r"CLIP .*retrieval\.kind=t5"):
        again(film, other, redo=("3",))
    again(film, other, redo=("3",), retrieval={"kind": "t5"})


def test_a_picture_drawn_anew_is_told_to_those_who_remember_it(story: Path, film: Path, model: Path) -> None:
    again(film, model, redo=("2",))
    before = pictures(film)
    notes = again(film, model, redo=("3",)).notes
    assert saw(film, "0002") == ["0001", "0003"]
    assert notes[-1] == "drawn beside earlier pictures of 0003: 0002; --refresh draws them anew"
    assert changed(film, before) == ["0003.png"]
    assert again(film, model).drawn == 0
    # 0003 remembers 0002, which remembers what 0003 was: both are drawn once more.
    refreshed = again(film, model, refresh=True)
    assert (refreshed.drawn, refreshed.notes) == (2, ())
    assert saw(film, "0002") == ["0001"]
    assert saw(film, "0003") == ["0001", "0002"]
    assert again(film, model, refresh=True).drawn == 0


def test_a_film_is_continued(story: Path, film: Path, model: Path) -> None:
    before = pictures(film)
    more = story.with_name("more.txt")
    more.write_text("Mira slept in the castle. Tom waved at her in the snow.", encoding="utf-8")
    made = again(film, model, more)
    board = Storyboard.load(film)
    assert (made.shots, made.drawn) == (5, 2)
    assert changed(film, before) == ["0004.png", "0005.png"]
    assert {"<Mira>", "<Tom>"} == {
        word for shot in board.shots[3:] for word in ("<Mira>", "<Tom>") if word in shot.caption
    }
    assert saw(film, "0005") == ["0001", "0002", "0003", "0004"]
    assert again(film, model, more).drawn == 0
    assert plan(story, model).drawn == 0
    assert len(Storyboard.load(film).shots) == 5


def test_a_storyboard_is_drawn_where_it_lies(story: Path, film: Path, model: Path) -> None:
    (film / "keyframes" / "0002.png").unlink()
    with pytest.raises(InputError, match="a storyboard is drawn where it lies"):
        plan_film(film / "storyboard.json", story.parent / "other", configured(model), Progress(quiet=True))
    assert again(film, model).drawn == 1
    with pytest.raises(InputError, match="a storyboard was wanted, but there is none"):
        plan_film(story.parent / "nothing" / "storyboard.json", None, configured(model), Progress(quiet=True))


def test_a_stop_between_windows_is_resumed(story: Path, model: Path) -> None:
    with pytest.raises(Interrupted, match="2 keyframes were drawn"):
        plan(story, model, StopsAt(4), shots=6, mode="extend")
    board = Storyboard.load(story.parent / "film")
    assert [shot.keyframe is not None for shot in board.shots] == [True] * 2 + [False] * 4
    rest = plan(story, model, mode="extend")
    assert (rest.drawn, rest.skipped) == (4, 2)
    film = rest.storyboard.parent
    resumed = pictures(film)
    film.rename(film.with_name("resumed"))
    plan(story, model, shots=6, mode="extend")
    assert pictures(film) == resumed


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
    assert changed(film, before) == ["0003.png"]


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
