#!/usr/bin/env bash
# Builds limpid against the PyTorch of this machine and compares what its graphics card computes
# with the CPU; times training steps and restoring.
#
#   tests/cuda/run.sh [--device cuda|cpu] [--needs FOLDER] [--out FOLDER] [--quick] [--only-build]
#
# --device  cuda (default); cpu is the dry run on a machine without a card
# --needs   what tests/cuda/prepare.sh gathered (default: build/cuda-needs, where it is there)
# --out     for cuda.json, cuda.md and the logs (default: build/cuda-out)
# --quick   small timings: for the dry run
# --limit SECONDS
#           after which cuda-check begins no further figure (330); eager PyTorch takes half a minute
#           more
# --check FILE
#           a cuda-check that was built elsewhere (--only-build): nothing is built here
# --only-build
#           leaves build/cuda-check-DEVICE/bin/cuda-check, to be run on another machine that has the
#           same LibTorch (docs/cuda.md): minutes of a machine with a card are dear
# --programs
#           builds limpid-train, too, beside cuda-check (needs CLI11)
# PYTHON    a Python that has torch (default: python3); without one, CMake finds LibTorch
#
# After the check the same networks run in eager PyTorch, where python3 has it. Written to --out:
# cuda.json, cuda.md, eager.json, beside.md and the logs. Exit 1 if anything differs.
set -euo pipefail
cd "$(dirname "$0")/../.."

device=cuda needs=build/cuda-needs out=build/cuda-out options=() only_build= check= programs=OFF
while [ $# -gt 0 ]; do
  case $1 in
    --device) device=$2; shift 2 ;;
    --needs) needs=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --quick) options+=(--quick); shift ;;
    --limit) options+=(--limit "$2"); shift 2 ;;
    --check) check=$(realpath "$2"); shift 2 ;;
    --programs) programs=ON; shift ;;
    --only-build) only_build=yes; shift ;;
    --help|-h) sed -n '2,25s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown argument '$1' (see --help)" >&2; exit 2 ;;
  esac
done
mkdir -p "$out"
part() { echo "## $* (after $SECONDS s)"; }

build_check() {
  part "configure"
  prefixes=()
  [ ! -d "$needs" ] || prefixes+=("$(realpath "$needs")")
  if torch=$("${PYTHON:-python3}" -c 'import torch; print(torch.utils.cmake_prefix_path)' 2>/dev/null); then
    prefixes+=("$torch")
  fi
  toolkit=() flags=-O1
  if [ "$device" = cuda ] && [ -n "${CUDA_HOME:-}" ]; then
    # CMake takes the headers beside nvcc's real path, which wheel_toolkit.sh only links to.
    flags+=" -idirafter $CUDA_HOME/include"
    toolkit=("-DCUDA_TOOLKIT_ROOT_DIR=$CUDA_HOME" "-DCUDAToolkit_ROOT=$CUDA_HOME")
  fi
  generator=()
  ! command -v ninja >/dev/null || generator=(-G Ninja)
  build=build/cuda-check-$device
  # What the check does not need, it shall not ask for on another machine.
  without=()
  for library in ISAL JPEG ONEDNN PNG PROTOZERO WEBP; do without+=("-DLIMPID_WITH_$library=OFF"); done
  cmake -S tests/cuda -B "$build" "${generator[@]}" "${without[@]}" -DCMAKE_BUILD_TYPE=None "-DLIMPID_CHECK_PROGRAMS=$programs" \
    "-DCMAKE_CXX_FLAGS=$flags" \
    "-DCMAKE_PREFIX_PATH=$(IFS=';'; echo "${prefixes[*]}")" "${toolkit[@]}" >"$out/configure.log" 2>&1 ||
    { tail -30 "$out/configure.log"; exit 1; }

  part "build"
  cmake --build "$build" -j "$(nproc)" >"$out/build.log" 2>&1 || { grep -m 20 -A 5 -E 'error|Error' "$out/build.log"; exit 1; }
  check=$build/bin/cuda-check
}

[ -n "$check" ] || build_check
[ -z "$only_build" ] || exit 0
part "check"
status=0
torch=$("${PYTHON:-python3}" -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null || true)
if [ -n "$torch" ]; then
  libraries=("$torch/lib" "$torch"/../nvidia/*/lib)
  export LD_LIBRARY_PATH=$(IFS=:; echo "${libraries[*]}"):${LD_LIBRARY_PATH:-}
fi
"$check" --device "$device" --out "$out" "${options[@]}" 2>&1 | tee "$out/check.log" ||
  status=${PIPESTATUS[0]}
if [ -n "$torch" ]; then
  part "eager PyTorch"
  quick=()
  [[ " ${options[*]} " != *" --quick "* ]] || quick=(--quick)
  "${PYTHON:-python3}" tests/cuda/eager.py --device "$device" --out "$out" "${quick[@]}" 2>&1 |
    tee "$out/eager.log" || status=1
fi
part "done"
exit "$status"
