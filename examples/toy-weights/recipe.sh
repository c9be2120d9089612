#!/bin/bash
# The embedded weights from nothing, step by step.  Every line can be run again: it goes on where it stopped.
#     bash examples/toy-weights/recipe.sh [RUN]
set -euo pipefail
run=${1:-runs/toy}
here=$(dirname "$0")

python "$here/text_encoder.py" --run "$run"
python "$here/image_autoencoder.py" --run "$run"
# Puppets are a quarter of the tokens, and their colours come last: they count more.  Whose words are whose is
# learned near pure noise, where colours are decided (docs/log.md).
cinema train-keyframes --stage 1 --run "$run" --set stages.1.subject_weight=5
python "$here/owners.py" --stage 4 --run "$run" --set stages.4.subject_weight=5 --set shift=16
python "$here/owners.py" --stage 8 --run "$run" --set stages.8.subject_weight=5 --set stages.8.loop.steps=8400
python "$here/owners.py" --stage 16 --run "$run" --set stages.16.subject_weight=2.5
# All levels of noise alike, and films that return to their places: scenery gets sharp, and comes back as it was.
python "$here/export.py" --run "$run" --out "$run/exported"
python "$here/owners.py" --stage 8 --run "$run/last" --init "$run/exported" --set shift=1.5 \
    --set stages.8.returns=0.5 --set stages.8.sequences=4 --set stages.8.subject_weight=1.5 \
    --set stages.8.loop.optimizer.learning_rate=0.0005

# The video model reads with the same text encoder.
mkdir -p "$run/video"
rm -rf "$run/video/text_encoder" "$run/video/tokenizer"
cp -r "$run/keyframes/text_encoder_2" "$run/video/text_encoder"
cp -r "$run/keyframes/tokenizer_2" "$run/video/tokenizer"
python "$here/video_autoencoder.py" --run "$run"
cinema train-video --run "$run"

# Sharper pictures from the same latents, then everything into the package, and its figures.
python "$here/image_autoencoder.py" --run "$run" --decoder-steps 2000
python "$here/video_autoencoder.py" --run "$run" --decoder-steps 2300
python "$here/export.py" --run "$run" --last "$run/last"
cinema evaluate --card --weights "$here/../../src/cinema_cli/toy" --out "$run/card"

# What memories are searched with: a CLIP, straight into the package, and its figure.
python "$here/clip.py" --run "$run"
python "$here/../../benchmarks/retrieval_coverage.py"
