"""Windows of a dataset's clips, read from real mp4 files with a real tiny autoencoder."""

import shutil
from fractions import Fraction

import numpy as np
import pytest
import torch

from cinema_cli.errors import InputError
from cinema_cli.ffmpeg import decode, probe
from cinema_cli.models.encoders import ShotTextEncoder, VideoCodec
from cinema_cli.progress import Progress
from cinema_cli.sampling.kept import kept_film
from cinema_cli.training.clip_facts import ClipFacts, clip_facts
from cinema_cli.training.clip_latents import ClipLatents, middle, read_clip, shown_size
from cinema_cli.training.clips import DatasetClips, captions_that_are_cut, clipped_films
from cinema_cli.training.films import nearest
from cinema_cli.training.motion import motion
from cinema_cli.training.sequences import STEP_BITS
from clipped_films import clipped_film, counted_clip, tiny_video
from kept_films import change_shots, drawn_film
from tiny_models import text_encoder, tokenizer, video_autoencoder

UNIT = 32
LENGTHS = (12, 6, 3, 9, 12, 5, 12)  # at 8 frames a second; buckets of 5 and 9 frames


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return clipped_film(tmp_path_factory.mktemp("data") / "film", LENGTHS)


@pytest.fixture(scope="module")
def parts():
    torch.manual_seed(0)
    return VideoCodec(video_autoencoder().eval()), ShotTextEncoder(text_encoder(), tokenizer(), 96)


def source(film, parts, folder, *changes):
    config = tiny_video(*changes)
    with Progress(quiet=True) as progress:
        films = clipped_films([kept_film(film)], config, UNIT, folder / "facts", progress)
        return DatasetClips(films, ClipLatents(films, parts[0], 8, folder, progress), parts[1], config)


def told(film, folder, *changes):
    """What was said about shots that are left out, and the film."""
    said = []
    with Progress(quiet=True) as progress:
        progress.say = said.append
        films = clipped_films([kept_film(film)], tiny_video(*changes), UNIT, folder, progress)
    return " ".join(said), films


def facts(frames=24, rate="8", height=32, width=64, pixel_aspect="1"):
    return ClipFacts(
        stamp="", frames=frames, rate=rate, height=height, width=width, pixel_aspect=pixel_aspect
    )


def test_a_shot_takes_the_largest_bucket_that_it_fills(dataset, tmp_path):
    said, (film,) = told(dataset, tmp_path)
    assert [one.bucket for one in film.shots] == [9, 5, 0, 9, 9, 5, 9]
    assert "1 clip too short" in said
    assert film.caption == "A day in a small town."


def test_windows_are_consecutive_shots_that_fill_a_bucket(dataset, parts, tmp_path):
    clips = source(dataset, parts, tmp_path)
    assert [window.places for window in clips.windows] == [(0, 1), (1, 3), (3, 4), (4, 5), (5, 6)]
    assert clips.shapes() == 2  # two of nine frames, or one of each
    with pytest.raises(InputError, match="7 shots of one film that fill 5 frames at 8 a second were wanted"):
        source(dataset, parts, tmp_path, "window=7")


def test_an_epoch_is_every_window_once_and_a_step_is_always_the_same(dataset, parts, tmp_path):
    clips = source(dataset, parts, tmp_path)
    epoch = [clips._at(number) for number in range(len(clips.windows))]
    assert sorted(epoch) == sorted(clips.windows)
    (once,), (again,), (later,) = (clips.batch(seed) for seed in (3, 3 + (7 << STEP_BITS), 4))
    assert all(torch.equal(a.latents, b.latents) for a, b in zip(once.groups, again.groups, strict=True))
    assert not torch.equal(once.made[0].latents, later.made[0].latents)
    two = source(dataset, parts, tmp_path, "films=2").batch(1)
    alone = [clips.batch(2)[0], clips.batch(3)[0]]
    assert all(torch.equal(a.made[0].latents, b.made[0].latents) for a, b in zip(two, alone, strict=True))
    others = source(dataset, parts, tmp_path, "loop.seed=1")
    assert [others._at(n) for n in range(5)] != epoch


def test_a_window_of_two_lengths_is_two_groups_beside_single_frames(dataset, parts, tmp_path):
    clips = source(dataset, parts, tmp_path, "neighbours=3")
    films = clips._read(clips.windows[1])  # shots 1 and 3, of 5 and 9 frames; shots 0, 2 and 4 are nearest
    assert [tuple(c.latents.shape) for c in films.made] == [(1, 1, 4, 2, 2, 4), (1, 1, 4, 3, 2, 4)]
    assert films.seen.latents.shape == (1, 3, 4, 1, 2, 4)
    assert [c.places for c in films.groups] == [(1,), (3,), (0, 2, 4)]
    assert films.starts(0.5) == [[1.5], [5.5], [0.0, 4.0, 9.0]]
    film = clips.films[0]
    words = parts[1].encode(film.caption, [one.shot.caption for one in film.shots[:5]])
    assert torch.equal(films.made[0].text[0, 0], words[1])
    assert torch.equal(films.seen.text[0], words[[0, 2, 4]])


def test_latents_are_those_of_the_clip_s_first_frames(dataset, parts, tmp_path):
    clips = source(dataset, parts, tmp_path)
    frames = list(decode(dataset / "clips/0004.mp4"))
    expected = parts[0].encode(torch.stack([torch.from_numpy(f) for f in frames[:9]])[None])
    found, moved = clips.latents.of(0, [3], 9)
    assert torch.allclose(found, expected, atol=2e-3)
    grid = (found.shape[3], found.shape[4])
    assert torch.allclose(moved[0], motion(torch.from_numpy(np.stack(frames[:9])), grid), atol=1e-3)
    # A keyframe is the first frame of its shot (3.3), and a clip's first latent frame is that frame alone.
    assert torch.allclose(clips.latents.of(0, [3], 1)[0], expected[:, :, :1], atol=2e-3)
    for one, turned in zip(clips.latents.of(0, [4, 0], 9), clips.latents.of(0, [0, 4], 9), strict=True):
        assert torch.equal(one, turned.flip(0))


def test_cached_latents_are_read_again_until_the_clip_changes(dataset, parts, tmp_path):
    film = tmp_path / "film"
    shutil.copytree(dataset, film)
    clips = source(film, parts, tmp_path / "run")
    before = clips.latents.of(0, [3], 9)[0]
    (film / "clips/0004.mp4").rename(tmp_path / "aside.mp4")
    assert torch.equal(clips.latents.of(0, [3], 9)[0], before)
    shutil.copy(film / "clips/0001.mp4", film / "clips/0004.mp4")
    changed = source(film, parts, tmp_path / "run").latents.of(0, [3, 0], 9)[0]
    assert torch.equal(changed[0], changed[1])
    assert not torch.equal(changed[0], before[0])


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(Fraction(8), [0, 1, 2, 3, 4]), (Fraction(16), [0, 2, 4, 6, 8]), (Fraction(20), [0, 3, 5, 8, 10])],
)
def test_a_faster_clip_is_shown_at_the_model_s_rate(tmp_path, rate, shown):
    file = counted_clip(tmp_path / "clip.mp4", 12, rate)
    known = facts(frames=12, rate=str(probe(file).rate))
    read = read_clip(file, known, (32, 64), 5, 8)
    assert read.shape == (5, 32, 64, 3)
    levels = read.float().mean(dim=(1, 2, 3))
    assert [round((float(level) - 10) / 10) for level in levels] == shown


def test_a_clip_that_lost_its_end_is_told(tmp_path):
    file = counted_clip(tmp_path / "clip.mp4", 4, Fraction(8))
    with pytest.raises(InputError, match="5 frames were wanted, found less"):
        read_clip(file, facts(frames=9), (32, 64), 5, 8)


@pytest.mark.parametrize(
    ("height", "width", "pixel_aspect", "size"),
    [
        (338, 678, "1", (352, 704)),  # 2:1
        (360, 640, "1", (352, 640)),  # 16:9
        (310, 744, "1", (320, 768)),  # 2.4:1
        (640, 360, "1", (640, 352)),
        (480, 480, "1", (480, 480)),
        (480, 480, "4/3", (416, 544)),  # shown as 640 x 480
    ],
)
def test_frames_have_the_area_of_480_x_480_at_their_own_aspect(height, width, pixel_aspect, size):
    clip = facts(height=height, width=width, pixel_aspect=pixel_aspect)
    assert shown_size(clip, 480 * 480, 32) == size
    top, left, high, wide = middle(clip, size)
    # What is left of the picture has the aspect of the frame to a pixel: it is cut, never stretched.
    shown = wide * clip.aspect * height / width / high
    assert abs(float(shown) / (size[1] / size[0]) - 1) < 2 / min(high, wide)
    assert high == height or wide == width
    assert high * wide > 0.9 * height * width
    assert abs(2 * top + high - height) <= 1
    assert abs(2 * left + wide - width) <= 1


def test_small_clips_are_not_enlarged():
    with pytest.raises(
        InputError, match=r"about 352 x 704 pixels were wanted, found 200 x 400\. Ask for less"
    ):
        shown_size(facts(height=200, width=400), 480 * 480, 32)


def test_a_film_without_clips_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"found none\. Run `cinema ingest MOVIE --clips`"):
        told(drawn_film(tmp_path / "film", 3), tmp_path)


def test_what_is_left_out_is_counted(dataset, tmp_path):
    film = tmp_path / "film"
    shutil.copytree(dataset, film)
    change_shots(film, {1: {"clip": None}, 7: {"rejected": "blurred"}})
    (film / "clips/0002.mp4").unlink()
    counted_clip(film / "clips/0004.mp4", 12, Fraction(4))
    counted_clip(film / "clips/0006.mp4", 12, Fraction(8), (64, 64))
    said, (clipped,) = told(film, tmp_path / "facts")
    assert [one.shot.id for one in clipped.shots] == ["0003", "0005"]
    for line in (
        "1 no clip",
        "1 clip file missing",
        "1 rejected",
        "1 clip of too few frames a second",
        "1 clip of another size",
        "1 clip too short",
    ):
        assert line in said


def test_what_clips_are_is_remembered(dataset, tmp_path):
    film = kept_film(dataset)
    first = clip_facts(film, film.shots, tmp_path)
    assert [fact.frames for fact in first.values()] == list(LENGTHS)
    (record,) = tmp_path.iterdir()
    record.write_text(record.read_text().replace('"frames": 12', '"frames": 13'))
    assert [fact.frames for fact in clip_facts(film, film.shots, tmp_path).values()].count(13) == 3
    record.write_text("{")
    assert clip_facts(film, film.shots, tmp_path) == first


def test_captions_that_lose_their_end_are_counted(dataset, parts, tmp_path):
    _, films = told(dataset, tmp_path)
    assert captions_that_are_cut(films, parts[1]) < len(LENGTHS)
    assert captions_that_are_cut(films, ShotTextEncoder(parts[1].t5, parts[1].tokenizer, 12)) == len(LENGTHS)


def test_the_nearest_others_are_seen():
    assert nearest([3, 4], 8, 3) == [1, 2, 5]
    assert nearest([0, 2], 4, 8) == [1, 3]
    assert nearest([0, 1], 2, 8) == []


def test_a_held_out_film_is_looked_at_and_never_trained_on(dataset, parts, tmp_path):
    config = tiny_video("window=2")
    other = clipped_film(tmp_path / "other", (12, 12, 12), seed=1)
    with Progress(quiet=True) as progress:
        films = clipped_films(
            [kept_film(f) for f in (dataset, other)], config, UNIT, tmp_path / "f", progress
        )
        latents = ClipLatents(films, parts[0], 8, tmp_path, progress)
        apart = DatasetClips(films, latents, parts[1], config, {1})
    assert {window.film for window in apart.windows} == {0}
    assert {window.film for window in apart.shown} == {1}
    assert apart.facts["films_held_out"] == ["other"]
    own = latents.of(1, [0], 9)[0]
    held = apart.preview()
    assert any(torch.equal(clip, own[0]) for clips in held.groups for clip in clips.latents[0])


def test_by_chance_a_film_has_no_words(dataset, parts, tmp_path):
    told, some = source(dataset, parts, tmp_path), source(dataset, parts, tmp_path, "drop_captions=0.5")
    nothing = parts[1].alone([""])[0]
    without = []
    for seed in range(40):
        (with_words,), (film,) = told.batch(seed), some.batch(seed)
        texts = torch.cat([clips.text[0] for clips in film.groups])
        if torch.equal(texts, nothing.expand_as(texts)):
            without.append(seed)
        else:
            assert torch.equal(texts, torch.cat([clips.text[0] for clips in with_words.groups]))
        assert torch.equal(film.made[0].latents, with_words.made[0].latents)
    assert 8 < len(without) < 32
    assert torch.equal(some.preview().made[0].text, told.preview().made[0].text)
