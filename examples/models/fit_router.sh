#!/usr/bin/env bash
# Fits the router of a model of deblur, dehaze, derain and denoise (limpid-restore --task auto), and
# keeps it in the model file; a quarter of an hour on one core.
#
#   examples/models/fit_router.sh PHOTOS [MODEL [OUT]]
#
# PHOTOS  a folder from examples/models/photographs.py
# MODEL   default: examples/models/everyday.limpid
# OUT     default: MODEL itself, replaced when all is done; weights of 16 bits
# BIN     folder of the programs (default: build/default/bin)
set -euo pipefail

[ "${1:-}" != --help ] && [ "${1:-}" != -h ] && [ $# -ge 1 ] ||
  { sed -n '2,11s/^# \{0,1\}//p' "$0"; [ $# -lt 1 ] && exit 2; exit 0; }
photos=$1 model=${2:-$(dirname "$0")/everyday.limpid}
out=${3:-$model}

# Each damage apart and together, mild and strong; a quarter of the pictures stay clean.
damages="haze@0.3(beta=0.1:2.4,near=0.15:0.95,tint=0.08)+camera-motion@0.3(size=0:30,gamma=1:2.2,noise=0:4)"
damages="$damages+raindrops@0.3(cover=0.1:0.9)+noise@0.3(sigma=0:55)"
once="photos:$photos,degradation=mixture,parts=$damages,draws=1"
"${BIN:-build/default/bin}/limpid-convert" "$model" "$out.routed" --half --fit-router --pairs 423 \
  --data "damaged=$once" --data "again=$once"
mv "$out.routed" "$out"
