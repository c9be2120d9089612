"""Whether a stranger's cut detector finds the cuts of the films that cinema makes.

    python benchmarks/cuts.py                     the example and all stories
    python benchmarks/cuts.py --shots 4 --steps 4

Each story is planned and rendered; PySceneDetect's ContentDetector, as it comes, then looks at the film.
A cut counts as found at its very frame; any other cut that the detector sees is false.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import ContentDetector

from cinema_cli.ffmpeg import decode, probe
from cinema_cli.fields import seconds
from cinema_cli.storyboard import Storyboard

EXAMPLES = Path(__file__).parents[1] / "examples"
LOOK_SIZE = (128, 256)
"""The detector looks at pictures of about this width: PySceneDetect reduces larger ones before it."""


def storyboard_cuts(storyboard: Storyboard) -> set[int]:
    """Number of the first frame of every shot but the first."""
    rate = seconds(storyboard.frame_rate)
    ends = accumulate(seconds(shot.duration) * rate for shot in storyboard.shots)
    return {int(end) for end in list(ends)[:-1]}


def found_cuts(film: Path) -> set[int]:
    """What the detector finds in a film."""
    detector, rate = ContentDetector(), probe(film).rate
    cuts: list[FrameTimecode] = []
    number = 0
    for number, frame in enumerate(decode(film, LOOK_SIZE)):
        # OpenCV's order of channels.
        cuts += detector.process_frame(FrameTimecode(number, rate), np.ascontiguousarray(frame[:, :, ::-1]))
    cuts += detector.post_process(FrameTimecode(number, rate))
    return {cut.frame_num for cut in cuts}


def make_film(story: Path, folder: Path, shots: Sequence[str], how: Sequence[str]) -> Path:
    """Plan and render; a folder that is kept goes on where it stopped."""
    run_cinema("plan", str(story), "--out", str(folder), "--quiet", *shots, *how)
    run_cinema("render", str(folder), "--quiet", *how)
    return folder / "film.mp4"


def run_cinema(*arguments: str) -> None:
    """Run a command; the benchmark ends where it fails."""
    subprocess.run([sys.executable, "-m", "cinema_cli", *arguments], stdout=subprocess.DEVNULL, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "stories", type=Path, nargs="*", help="else examples/lamp-keeper and examples/stories"
    )
    parser.add_argument("--shots", type=int, help="of each film; else the story decides")
    parser.add_argument("--steps", type=int, help="sampling steps; else the preset's")
    parser.add_argument("--films", type=Path, help="keep the films in this folder")
    parser.add_argument("--model", help="a folder with keyframes/ and video/; else the preset's")
    options = parser.parse_args()
    shots = ["--shots", str(options.shots)] if options.shots else []
    steps = ["--steps", str(options.steps)] if options.steps else []
    model = ["--set", f"model={options.model}"] if options.model else []
    own = [EXAMPLES / "lamp-keeper" / "story.txt", *sorted((EXAMPLES / "stories").glob("*.txt"))]
    cuts = hits = false = 0
    with tempfile.TemporaryDirectory() as aside:
        for story in options.stories or own:
            name = story.parent.name if story.stem == "story" else story.stem
            folder = (options.films or Path(aside)) / name
            film = make_film(story, folder, shots, [*steps, *model])
            true, found = storyboard_cuts(Storyboard.load(folder)), found_cuts(film)
            missed, wrong = sorted(true - found), sorted(found - true)
            print(f"{name:<28} {len(true & found)} of {len(true)} cuts, missed {missed}, false {wrong}")
            cuts, hits, false = cuts + len(true), hits + len(true & found), false + len(wrong)
    print(f"found {hits} of {cuts} cuts ({100 * hits / max(1, cuts):.1f} %), {false} false ones")


if __name__ == "__main__":
    main()
