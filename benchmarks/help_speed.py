"""How instant help is: ``cinema --help`` against the bare import of the libraries that it is made of.

    python benchmarks/help_speed.py --runs 15

Medians of whole processes, the two taken in turn so that a busy moment meets both.
"""

import argparse
import statistics
import subprocess
import sys
import time

HELP = [sys.executable, "-m", "cinema_cli", "--help"]
IMPORTS = [sys.executable, "-c", "import typer, rich, pydantic"]


def seconds(command: list[str]) -> float:
    """Of a process from start to end."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    seconds(HELP), seconds(IMPORTS)  # the first reads files from the disk
    pairs = [(seconds(HELP), seconds(IMPORTS)) for _ in range(runs)]
    help_median, import_median = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"cinema --help                  {help_median:.3f} s (median of {runs})")
    print(f"import typer, rich, pydantic   {import_median:.3f} s")
    print(f"ratio                          {help_median / import_median:.2f}")


if __name__ == "__main__":
    main()
