#!/usr/bin/env bash
# Refuses code that clang-format would change, lines of prose beyond 100 columns, misspellings, and
# programs or lessons that use what limpid keeps to itself, and headers that limpid::compiled misses.
#
#   tests/style.sh [--fix]      --fix formats the code
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  '') mode=(--dry-run -Werror) ;;
  --fix) mode=(-i) ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
failed=0

git ls-files -z '*.hpp' '*.cpp' | xargs -0 clang-format "${mode[@]}" || failed=1

# Tables and pictures cannot be wrapped; code follows its own rules.
for page in README.md CONTRIBUTING.md CHANGELOG.md docs/*.md; do
  awk -v page="$page" '
    /^ *```/ { code = !code }
    !code && !/^\|/ && !/^!\[/ && length > 100 { print page ":" NR ": " length " columns"; bad = 1 }
    END { exit bad }' "$page" || failed=1
done

git ls-files -z '*.md' '*.hpp' '*.cpp' '*.sh' '*.cmake' '*CMakeLists.txt' |
  xargs -0 codespell --ignore-words .codespellignore || failed=1

# What a program of limpid's needs, a user's program may need, too.
! grep -n 'limpid::detail' -r examples || failed=1

# What headers keep behind LIMPID_BODIES is in limpid::compiled.
diff <(grep -rlE '^(#ifdef LIMPID_BODIES|LIMPID_JSON\()' include --exclude compiled.hpp | sed 's#include/##' | LC_ALL=C sort) \
  <(sed -n 's/^#include <\(.*\)>/\1/p' cmake/compiled_functions.cpp | LC_ALL=C sort) ||
  { echo 'cmake/compiled_functions.cpp: expected the headers with LIMPID_BODIES or LIMPID_JSON (< above)'; failed=1; }

[ $failed = 0 ] && echo "format and spelling: nothing to mend"
exit $failed
