#!/usr/bin/env bash
# Installs the Debian packages that limpid needs and that are missing; asks for no others.
#
#   examples/install_packages.sh [--tests] [--photos]
#
# As root, else with sudo; where neither can be had, prints the line to run and stops.
set -euo pipefail

packages="g++ cmake ninja-build libtorch-dev libopenblas0-pthread libeigen3-dev libstb-dev zlib1g-dev libjpeg-dev libpng-dev libwebp-dev libisal-dev libdnnl-dev libprotozero-dev libgloo-dev nlohmann-json3-dev libcli11-dev"
for argument in "$@"; do
  case $argument in
    --tests) packages+=" libboost-test-dev ccache clang-format codespell doxygen ffmpeg" ;;
    --photos) packages+=" lomiri-wallpapers-16.04 palapeli-data" ;;
    *) echo "install_packages.sh: unknown argument '$argument'" >&2; exit 2 ;;
  esac
done

missing=
for package in $packages; do
  status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
  [ "$status" = "ii " ] || missing+=" $package"
done
[ -n "$missing" ] || exit 0

line="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
  as=
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  as=sudo
else
  echo "These packages are missing; as root, run: apt-get update && $line" >&2
  exit 1
fi
echo "installing:$missing"
$as apt-get update -q
DEBIAN_FRONTEND=noninteractive $as $line
