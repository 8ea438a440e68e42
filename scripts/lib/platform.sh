# Shared by the scripts of this folder, which source it after setting `name`; not a platform.

skip() {
  echo "$name: skipped, $1"
  exit 77
}

step() {
  echo "$name: $1 (at ${SECONDS} s)"
}

passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log" "$log".*' EXIT
# Everything that is made or fetched for platforms; git ignores it.
folder="$PWD/target/platforms"
mkdir -p "$folder"

# check WHAT COMMAND...: one test, which passes when the command does; its output is shown when it fails.
check() {
  local what=$1
  shift
  if "$@" > "$log" 2>&1; then
    passed=$((passed + 1))
    echo "$name: ok: $what$(tail -n 1 "$log" | sed -n 's/^\(portable: .*\)$/ (\1)/p')"
  else
    failed=$((failed + 1))
    cat "$log"
    echo "$name: FAILED: $what"
  fi
}

# start WHAT COMMAND...: the same beside what follows; `settle` waits for all that were started.
started=()
start() {
  started+=("$1")
  local output="$log.${#started[@]}"
  shift
  # The exit code is the last line: a shell forgets it with the job.
  { code=0; "$@" > "$output" 2>&1 || code=$?; echo "exit $code" >> "$output"; } &
}

settle() {
  wait
  local i
  for i in "${!started[@]}"; do
    check "${started[i]}" ended_well "$log.$((i + 1))"
    rm -f "$log.$((i + 1))"
  done
  started=()
}

# ended_well OUTPUT: repeats what a started command wrote, and fails as it did.
ended_well() {
  head -n -1 "$1"
  [ "$(tail -n 1 "$1")" = 'exit 0' ]
}

finish() {
  step 'end'
  echo "$name: $passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

on_linux_x64() {
  [ "$(uname -sm)" = 'Linux x86_64' ] || skip "it is for Linux on x86-64, this is $(uname -sm)"
}

# debian_packages PACKAGE...: installs what is missing of them.
debian_packages() {
  command -v apt-get > /dev/null || skip "it takes $* from Debian's packages (no apt-get here)"
  dpkg-query --show "$@" > /dev/null 2>&1 && return
  [ "$(id -u)" -eq 0 ] || skip "it needs root to install $*"
  step "installing $*"
  case "$*" in *:arm64*) dpkg --add-architecture arm64 ;; esac
  apt-get update -qq
  apt-cache show "$@" > /dev/null 2>&1 || skip "this system's package lists lack one of $*"
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" > /dev/null
}

# npm_package PACKAGE@VERSION FOLDER: installs one package for another platform or version, beside others of the same name.
npm_package() {
  local target="$folder/$2"
  [ -d "$target/node_modules" ] && return
  step "installing $1"
  # Forced, since the package may say that it is not for this machine.
  npm install --prefix "$target" --no-save --force --ignore-scripts --no-audit --no-fund --loglevel=error "$1" > "$log" 2>&1 ||
    { cat "$log"; rm -rf "$target"; return 1; }
}

# zig as the C compiler and linker: it has glibc's and musl's stubs of every version. From PyPI, at fixed versions.
zig_tools() {
  export PATH="$folder/python/bin:$PATH"
  command -v python3 > /dev/null || skip 'it needs Python 3 to fetch zig'
  # One at a time where two platforms are built at once.
  (
    flock 9
    if ! command -v cargo-zigbuild > /dev/null; then
      step 'installing zig and cargo-zigbuild'
      python3 -m venv "$folder/python" && "$folder/python/bin/pip" install --quiet --disable-pip-version-check ziglang==0.15.2 cargo-zigbuild==0.24.1
    fi
  ) 9> "$folder/python.lock"
  CARGO_ZIGBUILD_ZIG_PATH=$(echo "$folder"/python/lib/python*/site-packages/ziglang/zig)
  export CARGO_ZIGBUILD_ZIG_PATH
}

# zig_linker ZIG_TARGET: writes a linker for that target, and prints its path.
zig_linker() {
  local file="$folder/zig-$1"
  printf '#!/bin/sh\nexec cargo-zigbuild zig cc -- -target %s "$@"\n' "$1" > "$file"
  chmod +x "$file"
  echo "$file"
}

# build_addon TARGET ARGUMENT...: the addon as it is published, or in the cargo profile $profile, in $addon.
build_addon() {
  local target=$1
  shift
  addon="$folder/$name/native"
  # Panic messages name source files; those of this machine's folders are nobody's business.
  # A tenth smaller: kernels are inlined and unrolled by their source, and what remains gains nothing.
  local smaller
  smaller=$(xargs < scripts/lib/dist.rustflags)
  export RUSTFLAGS="$smaller --remap-path-prefix=$PWD=corr2d --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo ${RUSTFLAGS:-}"
  node node_modules/@napi-rs/cli/dist/cli.js build --manifest-path crates/node/Cargo.toml --platform --profile "${profile:-dist}" --target "$target" \
    --output-dir "$addon" --js binding.cjs --dts binding.d.cts "$@" > "$log" 2>&1 || { cat "$log"; exit 1; }
}

# The npm packages of the repository, and what some tests start in a process of their own.
npm_packages() {
  node --input-type=module -e "import { ensurePackages, main } from './scripts/lib/setup.mjs'; await main(async () => { await ensurePackages(); return 0; });"
  [ -e dist/index.mjs ] && [ -e native/binding.cjs ] || node scripts/build.mjs > "$log" 2>&1 || { cat "$log"; exit 1; }
}
