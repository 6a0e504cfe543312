#!/usr/bin/env bash
# Builds the compiled module for ARM64 and runs tests under emulation, on a processor without and on
# one with dot products of bytes: bash tools/test_arm64.sh FOLDER [PYTEST_ARGUMENT...]
# FOLDER is that of tools/arm64_python.sh. Needs the Debian package g++-aarch64-linux-gnu, cmake and
# ninja. How long it takes says nothing of real processors.
set -euo pipefail
folder=$(realpath "$1")
shift
cd "$(dirname "$0")/.."

BUILD=$folder/build PYTHON=$folder/bin/python bash tools/build_in_place.sh \
  -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DATTNENGINE_WERROR=ON
NM=aarch64-linux-gnu-nm python tools/check_kernel_symbols.py "$folder/build"

# test_on PROCESSOR ISA PYTEST_ARGUMENT...: the instruction set must be found, not forced.
test_on() {
  export QEMU_CPU=$1
  local isa
  isa=$("$folder/bin/python" -c 'from attnengine import kernels; print(kernels.isa())')
  echo "$1: $isa"
  [ "$isa" = "$2" ] || { echo "expected $2" >&2; exit 1; }
  "$folder/bin/python" -m pytest -q -p no:cacheprovider "${@:3}"
}
test_on cortex-a57 neon "$@"
test_on max neon_dotprod "$@"
