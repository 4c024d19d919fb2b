#!/usr/bin/env bash
# Trains the model `everyday` (examples/models/README.md) on a machine with a graphics card that is
# to be had for minutes only: photographs in, damages drawn on the card, the model out.
#
#   tests/cuda/train_everyday.sh PHOTOS OUT [--minutes M] [--device cuda|cpu] [OPTIONS]
#
# PHOTOS    a folder from examples/models/photographs.py, 40 MB
# OUT       for model.limpid, metrics.jsonl and the checkpoint in parts of 15 MB
# --minutes of training (default 9)
# OPTIONS   go to limpid-train, such as --batch deblur=8, --memory-format channels-last, or --from
#           MODEL to begin with; with --resume there is no first part
# TRAIN     the program (default: build/default/bin/limpid-train); docs/cuda.md says how to build it
#           for the other machine's LibTorch on one that has no card
#
# For the first seventh of the time blur is straight and of one size, or `deblur` would stay at the
# identity (examples/models/README.md). Drops are counted by the CPU, so the loaders draw them; all
# else is drawn on the card.
set -euo pipefail

[ "${1:-}" != --help ] && [ "${1:-}" != -h ] && [ $# -ge 2 ] ||
  { sed -n '2,19s/^# \{0,1\}//p' "$0"; [ $# -lt 2 ] && [ "${1:-}" != --help ] && exit 2; exit 0; }
photos=$(realpath "$1") out=$2
shift 2
minutes=9 device=cuda resumed='' start=() options=()
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=$2; shift 2 ;;
    --device) device=$2; shift 2 ;;
    --from) start=(--from "$2"); shift 2 ;;
    --resume) resumed=yes options+=("$1"); shift ;;
    *) options+=("$1"); shift ;;
  esac
done
mkdir -p "$out"

if torch=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null); then
  libraries=("$torch/lib" "$torch"/../nvidia/*/lib)
  export LD_LIBRARY_PATH=$(IFS=:; echo "${libraries[*]}"):${LD_LIBRARY_PATH:-}
fi

# train FOLDER MINUTES MOTION OPTIONS...
train() {
  local folder=$1 minutes=$2 motion=$3
  shift 3
  "${TRAIN:-build/default/bin/limpid-train}" --recipe everyday --device "$device" \
    --minutes "$minutes" --workers 3 --threads 2 --out "$folder" --average 0.996 \
    --batch deblur=48 --batch dehaze=10 --batch derain=8 --batch denoise=8 "$@" \
    --data "deblur=photos:$photos,degradation=camera-motion,$motion,on=device" \
    --data "dehaze=photos:$photos,degradation=mixture,parts=haze@0.93(beta=0.3:2.6,near=0.1:0.95,tint=0.08),on=device" \
    --data "derain=photos:$photos,degradation=mixture,parts=raindrops@0.9(cover=0.1:0.9),draws=8" \
    --data "denoise=photos:$photos,degradation=noise,sigma=0:55,on=device"
}

if [ -z "$resumed" ]; then
  train "$out/first" "$(awk "BEGIN { print $minutes / 7 }")" \
    size=6:10,gamma=1,overexposed=0,noise=0,still=0,things=0,roll=0,zoom=0,tilt=0,bend=0 \
    "${start[@]}" "${options[@]}"
  start=(--from "$out/first/model.limpid") minutes=$(awk "BEGIN { print $minutes * 6 / 7 }")
fi
train "$out/run" "$minutes" size=0:30,gamma=1:2.2,overexposed=0.35,noise=0:1.5,still=0.06 \
  "${start[@]}" "${options[@]}"
cp "$out/run/model.limpid" "$out/run/metrics.jsonl" "$out/"
split -b 15M "$out/run/checkpoint.limpid" "$out/checkpoint.limpid.part-"
