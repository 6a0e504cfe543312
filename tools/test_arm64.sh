#!/usr/bin/env bash
# Builds the compiled module for ARM64 and runs tests under emulation.
#     bash tools/test_arm64.sh FOLDER [PYTEST_ARGUMENT...]
# The tests run on a processor without dot products of bytes and on one with them. FOLDER comes from
# tools/arm64_python.sh. Needs the Debian package g++-aarch64-linux-gnu, cmake and ninja. The times
# say nothing about real processors.
set -euo pipefail
folder=$(realpath "$1")
shift
cd "$(dirname "$0")/.."

include=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
BUILD=$folder/build PYTHON=$folder/bin/python bash tools/build_in_place.sh \
  -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DPython_INCLUDE_DIR="$include" \
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DATTNENGINE_WERROR=ON
NM=aarch64-linux-gnu-nm python tools/check_kernel_symbols.py "$folder/build"

# test_on PROCESSOR ISA PYTEST_ARGUMENT...: the library must find the instruction set itself.
test_on() {
  export QEMU_CPU=$1
  local isa
  isa=$("$folder/bin/python" -c 'from attnengine import kernels; print(kernels.isa())')
  echo "$1: $isa"
  [ "$isa" = "$2" ] || { echo "expected $2" >&2; exit 1; }
  "$folder/bin/python" -m pytest -q -p no:cacheprovider "${@:3}"
}
# both at once, as each takes one core
test_on cortex-a57 neon "$@" >"$folder/cortex-a57.log" 2>&1 &
test_on max neon_dotprod "$@"
wait $! || { cat "$folder/cortex-a57.log"; exit 1; }
tail -n 3 "$folder/cortex-a57.log"
