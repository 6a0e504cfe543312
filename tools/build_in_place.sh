#!/usr/bin/env bash
# Builds the compiled module into attnengine/, for development without installing.
# Uses the python on PATH or $PYTHON, and the folder build or $BUILD. Arguments go to cmake.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python}
build=${BUILD:-build}
export PATH="$(dirname "$(command -v "$python")"):$PATH"
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
cmake -S . -B "$build" -G Ninja -DPython_EXECUTABLE="$(command -v "$python")" \
  -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)" "${launcher[@]}" "$@" >build.log 2>&1 ||
  { cat build.log; exit 1; }
rm -f build.log
cmake --build "$build" -j2
cp "$build"/_core*.so attnengine/
