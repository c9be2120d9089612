"""How many sequences a movie gives, by pairs and span: the table of docs/sample.md.

    python benchmarks/sampling_spans.py
    python benchmarks/sampling_spans.py --effort 100     looks longer, finds more

One movie of 1,200 kept keyframes (two hours at the paper's rate), the bar at 25 %.  Every set of sequences is
compared pair by pair again before its count is printed.  CPU seconds, because they hardly depend on what else
the machine does.
"""

import argparse
import time

from cinema_cli.sampling.overlap import most_shared
from cinema_cli.sampling.stride import Strides, draw_sequences, shared_keyframes

PAIRS = (8, 16, 32)
MULTIPLES = (1, 2, 3, 4, 6, 8, 10, 12, 16)
OVERLAP = 0.25


def count(keyframes: int, strides: Strides, seed: int) -> tuple[int, float]:
    """How many sequences there are, and the CPU seconds it took; the benchmark ends where one is wrong."""
    began = time.process_time()
    sequences = draw_sequences(keyframes, strides, seed)
    seconds = time.process_time() - began
    shared = most_shared(sequences)
    if shared > strides.shared:
        raise SystemExit(f"{strides}: two sequences share {shared} keyframes.")
    return len(sequences), seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keyframes", type=int, default=1200)
    parser.add_argument("--effort", type=int, default=150, help="candidates for every naive sequence")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{options.keyframes} keyframes, effort {options.effort}, seed {options.seed}")
    print("| span | " + " | ".join(f"{pairs} pairs" for pairs in PAIRS) + " |")
    print("|---" * (len(PAIRS) + 1) + "|")
    spent = 0.0
    for multiple in MULTIPLES:
        cells = []
        for pairs in PAIRS:
            shared = shared_keyframes(pairs, OVERLAP)
            strides = Strides(pairs, multiple * pairs, shared, options.effort)
            found, seconds = count(options.keyframes, strides, options.seed)
            spent += seconds
            cells.append(f"{found:,} ({found / strides.naive(options.keyframes):.1f}x)")
        print(f"| {multiple} K | " + " | ".join(cells) + " |", flush=True)
    print(f"drawn in {spent:.1f} CPU seconds")


if __name__ == "__main__":
    main()
