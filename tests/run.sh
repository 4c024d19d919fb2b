#!/usr/bin/env bash
# Installs what is missing, builds everything, and runs every test.
#
#   tests/run.sh [--preset NAME] [--torch DIR]
#
# --preset  dev (default), default or asan: see CMakePresets.json
# --torch   folder for CMAKE_PREFIX_PATH, to build with another LibTorch than Debian's
set -euo pipefail
cd "$(dirname "$0")/.."

preset=dev
torch=
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=$2; shift 2 ;;
    --torch) torch=$2; shift 2 ;;
    --help|-h) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown argument '$1' (see --help)" >&2; exit 2 ;;
  esac
done

examples/install_packages.sh --tests
build=build/$preset
options=()
if [ -n "$torch" ]; then
  build=build/$preset-$(basename "$(dirname "$(dirname "$torch")")")
  options=(-B "$build" "-DCMAKE_PREFIX_PATH=$torch")
fi
# ccache knows what it has compiled in another checkout, too.
export CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=$PWD
cmake --preset "$preset" "${options[@]}"
cmake --build "$build" -j "$(nproc)"
ctest --test-dir "$build" --output-on-failure
