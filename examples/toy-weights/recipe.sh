#!/bin/bash
# The embedded weights from nothing, step by step.  Every line can be run again: it goes on where it stopped.
#     bash examples/toy-weights/recipe.sh [RUN [OUT]]
# A rehearsal, with a thousandth of all steps and nothing compiled (docs/log.md):
#     SHORTER=1000 TORCHDYNAMO_DISABLE=1 bash examples/toy-weights/recipe.sh /tmp/rehearsal /tmp/rehearsal/weights
set -euo pipefail
run=${1:-runs/toy}
here=$(dirname "$0")
out=${2:-$here/../../src/cinema_cli/toy}
steps() { echo $((($1 + ${SHORTER:-1} - 1) / ${SHORTER:-1})); }
owners() { # STAGE STEPS RUN, and what else is told
    python "$here/owners.py" --stage "$1" --run "$3" --set "stages.$1.loop.steps=$(steps "$2")" "${@:4}"
}

python "$here/text_encoder.py" --run "$run" --steps "$(steps 3200)"
python "$here/image_autoencoder.py" --run "$run" --steps "$(steps 1600)"
# Puppets are a quarter of the tokens, and their colours come last: they count more.  Whose words are whose is
# learned near pure noise, where colours are decided (docs/log.md).
cinema train-keyframes --stage 1 --run "$run" --set stages.1.subject_weight=5 --steps "$(steps 1800)"
owners 4 1700 "$run" --set stages.4.subject_weight=5 --set shift=16
owners 8 8400 "$run" --set stages.8.subject_weight=5
owners 16 900 "$run" --set stages.16.subject_weight=2.5
# All levels of noise alike, and films that return to their places: scenery gets sharp, and comes back as it was.
python "$here/export.py" --run "$run" --out "$run/exported"
owners 8 1000 "$run/sharp" --init "$run/exported" --set shift=1.5 --set stages.8.returns=0.5 \
    --set stages.8.sequences=4 --set stages.8.subject_weight=1.5 --set stages.8.loop.optimizer.learning_rate=0.0005
# The same in films of 16 shots, between the two; some of their frames, one or eight, beside earlier ones.
python "$here/export.py" --run "$run" --last "$run/sharp" --out "$run/sharpened"
owners 16 1400 "$run/long" --init "$run/sharpened" --set shift=2.5 --set movies=600 --set stages.16.returns=0.5 \
    --set stages.16.extend=0.25 --set "stages.16.extensions=[[8,1],[8,8]]" --set stages.16.golden=0.7 \
    --set stages.16.subject_weight=2.5 --set stages.16.loop.ema=0.99 \
    --set stages.16.loop.optimizer.learning_rate=0.0005 --set stages.16.loop.optimizer.warmup=30

# The video model reads with the same text encoder.
mkdir -p "$run/video"
rm -rf "$run/video/text_encoder" "$run/video/tokenizer"
cp -r "$run/keyframes/text_encoder_2" "$run/video/text_encoder"
cp -r "$run/keyframes/tokenizer_2" "$run/video/tokenizer"
whole=(--frame-steps "$(steps 4000)" --half-steps "$(steps 1400)" --whole-steps "$(steps 3500)")
python "$here/video_autoencoder.py" --run "$run" "${whole[@]}"
cinema train-video --run "$run" --steps "$(steps 18800)"

# Sharper pictures from the same latents, then everything into the package, and its figures.
python "$here/image_autoencoder.py" --run "$run" --decoder-steps "$(steps 2000)"
python "$here/video_autoencoder.py" --run "$run" "${whole[@]}" --decoder-steps "$(steps 2300)"
python "$here/export.py" --run "$run" --last "$run/long" --out "$out"
cinema evaluate --card --weights "$out" --stories "$(steps 200)" --out "$run/card"

# What memories are searched with: a CLIP, straight into the package, and its figure.
python "$here/clip.py" --run "$run" --out "$out/clip" --steps "$(steps 800)"
python "$here/../../benchmarks/retrieval_coverage.py" --clip "$out/clip" --movies "$(steps 100)" --out "$run/retrieval.png"
