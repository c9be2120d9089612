#!/bin/bash
# Movies become a dataset, and the dataset trains the model: every command once, on two small movies.
#     bash examples/round-trip/run.sh [OUT]
# Run it again: every command skips what is done.  MOVIES, MINUTES and STEPS make it larger.
set -euo pipefail
out=${1:-runs/round-trip}

# 1. Movies whose truth is known, with a sidecar each.
cinema theatre "$out/movies" --movies "${MOVIES:-2}" --minutes "${MINUTES:-1}"

# 2. Cuts, mid-clip keyframes without black borders, and what speaks against a keyframe (3.1).
cinema ingest "$out/movies" --out "$out/dataset"

# 3. Captions: here from the sidecars; from a vision-language model with --annotator openai (3.1, B).
cinema caption "$out/dataset" --annotator sidecar

# 4. Sequences with dynamic strides, and a page with some of them (3.2).
cinema sample "$out/dataset" --pairs 8 --show "$out/sequences.html"

# 5. Some steps of training from the embedded weights (3.2).
cinema train-keyframes --stage 8 --data "$out/dataset" --init toy --run "$out/run" --steps "${STEPS:-4}" \
  --set stages.8.sequences=1 --set preview_steps=4 --set compile=false
