#!/usr/bin/env bash
# Gathers what limpid needs beside LibTorch, for a machine with a graphics card that has PyTorch, a
# compiler and CMake but neither Debian's packages nor the internet.
#
#   tests/cuda/prepare.sh [FOLDER]
#
# FOLDER  is made anew (default: build/cuda-needs, which git ignores); carry it to that machine with
#         the source tree and run tests/cuda/run.sh there. About 15 MB: headers of Eigen, stb,
#         nlohmann-json, CLI11 and zlib, and zlib's static library.
set -euo pipefail
cd "$(dirname "$0")/../.."

case ${1:-} in
  --help|-h) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
  -*) echo "prepare.sh: unknown option '$1' (see --help)" >&2; exit 2 ;;
esac
needs=${1:-build/cuda-needs}

examples/install_packages.sh
rm -rf "$needs"
mkdir -p "$needs/include" "$needs/lib" "$needs/share/cmake"
cp -r /usr/include/eigen3 /usr/include/nlohmann /usr/include/CLI "$needs/include/"
cp /usr/include/zlib.h /usr/include/zconf.h "$needs/include/"
cp /usr/include/stb/stb_image.h /usr/include/stb/stb_image_write.h "$needs/include/"
cp "$(dpkg -L zlib1g-dev | grep '/libz\.a$')" "$needs/lib/"
cp -r /usr/share/eigen3 "$needs/share/"
cp -r /usr/share/cmake/nlohmann_json /usr/share/cmake/CLI11 "$needs/share/cmake/"
echo "$(du -sh "$needs" | cut -f1) in $needs; next, on the machine with the card: tests/cuda/run.sh --needs $needs"
