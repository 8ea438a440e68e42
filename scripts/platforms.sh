#!/usr/bin/env bash
# scripts/platforms.sh NAME...: builds for another platform and runs its tests on this machine, from a fresh one on.
# A platform is a file scripts/platforms/NAME.sh; those that can't be run here are listed below with the reason.
# Exit code: 0 passed, 1 failed, 2 unknown name, 77 skipped (the line says why).
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A impossible=(
  [darwin-x64]="it needs Apple's SDK, which no package registry has"
  [darwin-arm64]="it needs Apple's SDK, which no package registry has"
  [win32-x64-msvc]="it needs Microsoft's SDK, which no package registry has"
  [win32-arm64-msvc]="it needs Microsoft's SDK, which no package registry has"
)

if [ $# -eq 0 ]; then
  echo 'usage: scripts/platforms.sh NAME...'
  for file in scripts/platforms/*.sh; do
    printf '  %-18s %s\n' "$(basename "$file" .sh)" "$(sed -n '2s/^# *//p' "$file")"
  done
  for name in "${!impossible[@]}"; do
    printf '  %-18s not here: %s\n' "$name" "${impossible[$name]}"
  done | sort
  exit 2
fi

worst=0
for name in "$@"; do
  code=0
  if [ -n "${impossible[$name]:-}" ]; then
    echo "$name: skipped, ${impossible[$name]}"
    code=77
  elif [ -f "scripts/platforms/$name.sh" ]; then
    bash "scripts/platforms/$name.sh" || code=$?
  else
    echo "$name: unknown platform; scripts/platforms.sh without a name lists them"
    code=2
  fi
  # A failure outweighs a skip.
  if [ "$worst" -eq 0 ] || [ "$worst" -eq 77 ] && [ "$code" -ne 0 ]; then worst=$code; fi
done
exit "$worst"
