#!/usr/bin/env bash
# scripts/build-wasm.sh: the WebAssembly modules, wasm/corr2d.simd128.wasm and wasm/corr2d.relaxed-simd.wasm.
#
# rustup's standard library is for this machine only and no registry of packages has another, so it is built too: with Debian's
# Rust 1.96, whose sources are a package. Where rustup has the target, `RUSTUP_WASM=1` takes that instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
name=${name:-wasm32}
. scripts/lib/platform.sh

target=wasm32-unknown-unknown
flags=()
if [ -z "${RUSTUP_WASM:-}" ]; then
  debian_packages rustc-web cargo-web rust-web-src lld-16
  export PATH="/usr/bin:$PATH" RUSTC_BOOTSTRAP=1
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-16
  flags=(-Zbuild-std=std,panic_abort)
fi
export CARGO_TARGET_DIR="$folder/wasm"
mkdir -p wasm
for tier in simd128 relaxed-simd; do
  features=+simd128
  [ "$tier" = simd128 ] || features+=,+$tier
  step "building the tier $tier"
  RUSTFLAGS="-Ctarget-feature=$features --remap-path-prefix=$PWD=corr2d --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" \
    cargo build --quiet --locked --profile dist --package corr2d-wasm --target "$target" "${flags[@]}"
  cp "$CARGO_TARGET_DIR/$target/dist/corr2d_wasm.wasm" "wasm/corr2d.$tier.wasm"
done
# By this `npm test` knows whether they are of the present sources.
node --input-type=module -e "import { writeWasmStamp } from './scripts/lib/wasm-stamp.mjs'; writeWasmStamp();"
