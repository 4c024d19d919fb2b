#!/usr/bin/env bash
# Restores damaged photographs at once by the model in the box, then trains deblurring, dehazing and
# raindrop removal together, from nothing and from that model, and shows all three side by side.
#
#   examples/quickstart.sh [OUT] [--photos DIR] [--minutes M] [--programs DIR]
#
# OUT        folder for everything that is made (default: quickstart); see OUT/at-once/index.html
#            before and OUT/report/index.html after training
# --photos   a folder of your own photographs instead of Debian's: undamaged ones, at least two, not in
#            folders of it; the damages are added here, and the photographs are what is true
# --minutes  of training, half of them from nothing (default: 8)
# --programs a folder of limpid's programs; else they are built (build/default/bin)
#
# Run it again and it goes on where it stood; what is done is not done twice.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
fail() { echo "quickstart.sh: $*" >&2; exit "${code:-1}"; }

out=quickstart photos= minutes=8 bin= named=
while [ $# -gt 0 ]; do
  case $1 in
    --photos) [ $# -ge 2 ] || code=2 fail "--photos needs a folder"; photos=$2; shift 2 ;;
    --minutes) [ $# -ge 2 ] || code=2 fail "--minutes needs a number"; minutes=$2; shift 2 ;;
    --programs) [ $# -ge 2 ] || code=2 fail "--programs needs a folder"; bin=$2; shift 2 ;;
    --help|-h) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) code=2 fail "unknown option '$1' (see --help)" ;;
    *) [ -z "$named" ] || code=2 fail "expected one OUT, got '$out' and '$1'"; out=$1 named=1; shift ;;
  esac
done
[[ $minutes =~ ^[0-9]+([.][0-9]+)?$ ]] || code=2 fail "--minutes: expected a number, got '$minutes'"
[ -z "$bin" ] || [ -x "$bin/limpid-train" ] || fail "--programs: expected limpid-train and others, found none in '$bin'"
[ -z "$bin" ] || bin=$(realpath "$bin")
[ -z "$photos" ] || [ -d "$photos" ] || fail "--photos: expected a folder, found nothing at '$photos'"

started=$(date +%s)
step() { echo; echo "== $*"; }

step "packages"
if [ -n "$photos" ]; then
  "$root/examples/install_packages.sh"
else
  "$root/examples/install_packages.sh" --photos
fi

# What shows the model in the box is built first: restored photographs need not wait for a trainer.
build() { cmake --build "$root/build/default" -j "$(nproc)" --target "$@"; }
builds=
if [ -z "$bin" ]; then
  step "programs that show"
  builds=yes bin=$root/build/default/bin
  (cd "$root" && cmake --preset default >/dev/null)
  build limpid-data limpid-evaluate
fi

mkdir -p "$out" || fail "cannot write to '$out'"
settings="photographs: ${photos:-of Debian}"
if [ -f "$out/settings" ]; then
  [ "$(cat "$out/settings")" = "$settings" ] ||
    fail "'$out' was made with $(cat "$out/settings"), this run has $settings: name another folder"
else
  echo "$settings" > "$out/settings"
fi

# Does a step unless its mark says it is done; the mark is set last, so a broken step is done again.
once() {
  local mark=$out/.done-$1
  shift
  [ -f "$mark" ] && return
  "$@"
  touch "$mark"
}

collect() {
  if [ -z "$photos" ]; then
    rm -rf "$out/originals"
    mkdir -p "$out/originals"
    dpkg -L lomiri-wallpapers-16.04 palapeli-data |
      grep -E '^/usr/share/(backgrounds|palapeli/collection)/[^/]*\.jpg$' |
      while read -r photo; do ln -s "$photo" "$out/originals/"; done
  fi
  rm -rf "$out/photos"
  local ended=0
  "$bin/limpid-data" split --max-side 640 "${photos:-$out/originals}" "$out/photos" || ended=$?
  # Pictures that cannot be read are named by then, and the others are there.
  [ "$ended" = 0 ] || { [ "$ended" = 1 ] && [ -n "$(ls -A "$out/photos/test" 2>/dev/null)" ]; } ||
    { code=$ended; fail "no photographs to train on and to test, see above"; }
}

box=$root/examples/models/everyday.limpid
declare -A damage=(
  [deblur]=camera-motion,size=2:14,still=0,gamma=1:2.2
  [dehaze]=haze
  [derain]=raindrops
)
tasks=(deblur dehaze derain)

degrade() {
  rm -rf "$out/test/$1"
  "$bin/limpid-data" degrade --degradation "${damage[$1]}" "$out/photos/test" "$out/test/$1"
}

step "photographs, split into those to train on and those to test"
once photos collect
pairs=() measured=() validate=()
for task in "${tasks[@]}"; do
  once "degrade-$task" degrade "$task"
  pairs+=(--data "$task=photos:$out/photos/train,degradation=${damage[$task]}")
  measured+=(--data "$task=pairs:$out/test/$task")
  validate+=(--validate "$task=pairs:$out/test/$task")
done

step "the model in the box, at once"
if [ -z "$photos" ]; then
  known="The model in the box was trained on Debian's photographs with other damages; these were left out of all but its first trainings."
else
  known="The model in the box has not seen these photographs."
fi
at_once() {
  "$bin/limpid-evaluate" --model "$box" "${measured[@]}" --report "$out/at-once" \
    --title "The model in the box" --summary "Nothing was trained here. $known"
}
once at-once at_once
echo "after $((($(date +%s) - started) / 60)) minutes: look at $out/at-once/index.html"

if [ -n "$builds" ]; then
  step "programs that train"
  build limpid-train limpid-restore limpid-convert
fi

# Trains for half of the minutes into OUT/NAME. Crops of 96: half more steps than with the recipe's
# 128 in the same minutes, and a larger gain in each task.
train() {
  local name=$1
  shift
  step "training $name, half of $minutes minutes (Ctrl-C saves; run this script again to go on)"
  "$bin/limpid-train" --recipe quickstart --crop 96 --out "$out/$name" --resume \
    --minutes "$(awk "BEGIN { print $minutes / 2 }")" --json "$out/$name.json" \
    "${pairs[@]}" "${validate[@]}" "$@"
  if grep -q '"result": "interrupted"' "$out/$name.json"; then
    echo "interrupted; run this script again to go on" >&2
    exit 130
  fi
}

train from-nothing
[ -f "$out/begin.limpid" ] || "$bin/limpid-convert" "$box" "$out/begin.limpid" --tasks "${tasks[@]}"
train tuned --from "$out/begin.limpid" --rate 1e-4 --content psnr:floor=3e-4

model=$out/tuned/model.limpid
report() {
  step "restoring the test photographs"
  for task in "${tasks[@]}"; do
    rm -rf "$out/restored/$task"
    "$bin/limpid-restore" --model "$model" --task "$task" --out "$out/restored/$task" \
      "$out/test/$task/input"
  done
  step "measuring"
  "$bin/limpid-evaluate" --model "$model" "${measured[@]}" --name tuned \
    --beside "in the box=$box" --beside "from nothing=$out/from-nothing/model.limpid" \
    --report "$out/report" --title "limpid quickstart" \
    --summary "Restored by the model in the box, tuned on the photographs to train on; beside it the one in the box and one trained from nothing for the same time. $known" \
    --note "Trained on $(ls "$out/photos/train" | wc -l) photographs here; the $(ls "$out/photos/test" | wc -l) shown were not among them. Their curves were watched but chose nothing: the last weights are shown." \
    --note "Command: examples/quickstart.sh $out${photos:+ --photos $photos} --minutes $minutes"
}
if [ ! "$out/report/index.html" -nt "$model" ]; then report; fi

echo
echo "done in $((($(date +%s) - started) / 60)) minutes; look at $out/report/index.html"
echo "a photograph of yours: $bin/limpid-restore --model $model --task deblur PHOTO   (or dehaze, derain)"
