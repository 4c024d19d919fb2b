#!/usr/bin/env bash
# Makes a CUDA toolkit of a PyTorch wheel's own CUDA packages and this machine's nvcc, so that
# limpid compiles and links against a CUDA build of LibTorch on a machine that has no card.
#
#   tests/cuda/wheel_toolkit.sh PYTHON FOLDER
#
# PYTHON  a Python whose torch is a CUDA build, such as a venv after `pip install torch==2.14.1`
# FOLDER  is made anew; build with CUDA_HOME=FOLDER PYTHON=PYTHON tests/cuda/run.sh
set -euo pipefail
[ $# = 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
nvcc=$(command -v nvcc) || { echo "wheel_toolkit.sh: expected nvcc on the PATH, found none" >&2; exit 1; }
wheel=$("$1" -c 'import nvidia, os; print(os.path.join(list(nvidia.__path__)[0], "cu13"))')
[ -d "$wheel/include" ] || { echo "wheel_toolkit.sh: expected headers of CUDA 13 in $wheel/include" >&2; exit 1; }
rm -rf "$2"
mkdir -p "$2/bin" "$2/lib64"
ln -s "$wheel/include" "$2/include"
ln -s "$(realpath "$nvcc")" "$2/bin/nvcc"
for library in "$wheel"/lib/*.so.* "$wheel"/lib/*.a; do
  name=$(basename "$library")
  ln -s "$library" "$2/lib64/$name"
  [[ $name != *.so.* ]] || ln -sf "$library" "$2/lib64/${name%%.so*}.so"
done
echo "$2"
