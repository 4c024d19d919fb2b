#!/usr/bin/env bash
# Trains the model `everyday` (examples/models/README.md) on a machine with a graphics card that is
# to be had for minutes only: photographs in, damages drawn on the card, the model out.
#
#   tests/cuda/train_everyday.sh PHOTOS OUT [--minutes M] [--device cuda|cpu] [OPTIONS]
#
# PHOTOS    a folder from examples/models/photographs.py, 40 MB
# OUT       for model.limpid, metrics.jsonl and the checkpoint in parts of 15 MB
# --minutes of training (default 9)
# OPTIONS   go to limpid-train, such as --from MODEL, --batch deblur=8 or --resume
# TRAIN     the program (default: build/default/bin/limpid-train); docs/cuda.md says how to build it
#           for the other machine's LibTorch on one that has no card
#
# Drops are counted by the CPU, so the loaders draw them; all else is drawn on the card.
set -euo pipefail

[ "${1:-}" != --help ] && [ "${1:-}" != -h ] && [ $# -ge 2 ] ||
  { sed -n '2,16s/^# \{0,1\}//p' "$0"; [ $# -lt 2 ] && [ "${1:-}" != --help ] && exit 2; exit 0; }
photos=$(realpath "$1") out=$2
shift 2
minutes=9 device=cuda options=()
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=$2; shift 2 ;;
    --device) device=$2; shift 2 ;;
    *) options+=("$1"); shift ;;
  esac
done
mkdir -p "$out"

if torch=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null); then
  libraries=("$torch/lib" "$torch"/../nvidia/*/lib)
  export LD_LIBRARY_PATH=$(IFS=:; echo "${libraries[*]}"):${LD_LIBRARY_PATH:-}
fi
"${TRAIN:-build/default/bin/limpid-train}" --recipe everyday --device "$device" --minutes "$minutes" \
  --workers 3 --threads 2 --out "$out/run" \
  --batch deblur=32 --batch dehaze=12 --batch derain=16 --batch denoise=12 "${options[@]}" \
  --data "deblur=photos:$photos,degradation=camera-motion,size=0:30,gamma=1:2.2,overexposed=0.4,noise=0:4,on=device" \
  --data "dehaze=photos:$photos,degradation=mixture,parts=haze@0.84(beta=0.2:2.6,tint=0.08),on=device" \
  --data "derain=photos:$photos,degradation=mixture,parts=raindrops@0.9(cover=0.1:0.9),draws=1" \
  --data "denoise=photos:$photos,degradation=noise,sigma=0:55,on=device"
cp "$out/run/model.limpid" "$out/run/metrics.jsonl" "$out/"
split -b 15M "$out/run/checkpoint.limpid" "$out/checkpoint.limpid.part-"
