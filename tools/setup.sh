# Sourced by tools/quickstart and tools/check: packages, CUDA, configure. Says what it does.
# After it, $root is the checkout and $build the build folder.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${MSA_BUILD_DIR:-$root/build}

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$1" >&2; exit "${2:-1}"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "installing packages needs root or sudo; run as root: apt-get install $missing" 3
  fi
}

# Installs the packages of tools/packages.txt that are missing; with --build only those for building.
install_packages() {
  local wanted
  wanted=$(if [ "${1:-}" = --build ]; then sed '/^# tests/,$d' "$root/tools/packages.txt"; else cat "$root/tools/packages.txt"; fi | grep -v '^#')
  missing=
  for package in $wanted; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
  done
  if [ -z "$missing" ]; then
    say "all Debian packages are installed"
    return
  fi
  say "installing Debian packages:$missing"
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -qq || die "apt-get update failed; is there a network?" 3
  # shellcheck disable=SC2086
  as_root apt-get install -y -qq --no-install-recommends $missing >"${TMPDIR:-/tmp}/msa-apt.log" 2>&1 ||
    { tail -n 5 "${TMPDIR:-/tmp}/msa-apt.log" >&2; die "apt-get install failed; LLVM 22 is in Debian 12's security archive: check the apt sources" 3; }
}

# A CUDA toolkit if there is one, else NVIDIA's PyPI wheels in the build folder, else neither.
find_cuda() {
  if [ -n "${CUDA_HOME:-}" ] && [ -d "$CUDA_HOME" ] || command -v nvcc >/dev/null; then
    say "CUDA toolkit: ${CUDA_HOME:-$(command -v nvcc)}"
  else
    say "no CUDA toolkit (CUDA_HOME, nvcc): taking NVRTC and the assemblers from NVIDIA's PyPI wheels"
    "$root/tools/fetch-cuda-wheels" "$build" ||
      say "no wheels either: the build goes on, but programs that need NVRTC or an assembler will say what to install"
  fi
}

configure() {
  say "configuring $build"
  cmake -S "$root" --preset release -B "$build" "$@" >"$build/configure.log" 2>&1 ||
    { tail -n 20 "$build/configure.log" >&2; die "cmake failed; see $build/configure.log"; }
}
