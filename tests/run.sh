#!/usr/bin/env bash
# Installs what is missing, builds everything, and runs every test.
#
#   tests/run.sh [--preset NAME] [--torch DIR] [--library] [--together N] [--threads N]
#
# --preset   dev (default), default or asan: see CMakePresets.json
# --torch    folder for CMAKE_PREFIX_PATH, to build with another LibTorch than Debian's
# --library  the library's tests and the programs that train, convert and restore, but not the
#            tests of programs and lessons, which take as long to build again
# --together compiles N files of tests in one translation unit: quicker from scratch
# --threads  LibTorch's threads in a test: 2 (default), or 1, and then tests run side by side
set -euo pipefail
cd "$(dirname "$0")/.."

preset=dev
torch=
library=
together=1
threads=2
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=$2; shift 2 ;;
    --torch) torch=$2; shift 2 ;;
    --library) library=1; shift ;;
    --together) together=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --help|-h) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown argument '$1' (see --help)" >&2; exit 2 ;;
  esac
done

examples/install_packages.sh --tests
build=build/$preset
options=(-DLIMPID_TESTS=ON -DLIMPID_WITH_GLOO=ON -DLIMPID_WITH_ONEDNN=ON "-DLIMPID_TESTS_TOGETHER=$together" "-DLIMPID_TEST_THREADS=$threads")
if [ -n "$torch" ]; then
  build=build/$preset-$(basename "$(dirname "$(dirname "$torch")")")
  options+=(-B "$build" "-DCMAKE_PREFIX_PATH=$torch")
fi
# ccache knows what it has compiled in another checkout, too.
export CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=$PWD
cmake --preset "$preset" "${options[@]}"
if [ -n "$library" ]; then
  cmake --build "$build" -j "$(nproc)" --target test_data test_networks test_training \
    test_embedded_decoders limpid-train limpid-convert limpid-restore
  ctest --test-dir "$build" --output-on-failure -j "$(nproc)" -LE programs
else
  cmake --build "$build" -j "$(nproc)"
  ctest --test-dir "$build" --output-on-failure -j "$(nproc)"
fi
