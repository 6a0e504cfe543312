#!/usr/bin/env bash
# Puts a Python for ARM64 into a folder, with the packages of the tests.
#     bash tools/arm64_python.sh FOLDER
# The folder is a virtual environment; its bin/python runs under emulation. Needs Debian with the
# package qemu-user, and pip in the python on PATH. Needs no root.
set -euo pipefail
mkdir -p "$1"
folder=$(realpath "$1")
sysroot=$folder/sysroot

# apt-get for ARM64, with lists of its own: it finds no package installed
arm64_apt() {
  apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Debug::NoLocking=true \
    -o Dir::State="$folder/apt" -o Dir::State::status=/dev/null -o Dir::Cache="$folder/apt" "$@"
}

mkdir -p "$folder"/apt/{lists,archives}/partial "$folder/bin" "$sysroot"
arm64_apt update
arm64_apt install --no-install-recommends --download-only \
  python3-minimal libpython3-stdlib libpython3-dev libstdc++6 libgomp1
for package in "$folder"/apt/archives/*.deb; do dpkg -x "$package" "$sysroot"; done
rm -r "$folder/apt"

cat >"$folder/bin/python" <<RUN
#!/bin/sh
exec qemu-aarch64 -L "$sysroot" -0 "\$0" "$sysroot/usr/bin/python3" "\$@"
RUN
chmod +x "$folder/bin/python"
echo "home = $sysroot/usr/bin" >"$folder/pyvenv.cfg"
version=$("$folder/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# the headers look here for files of the architecture
ln -sfn ../aarch64-linux-gnu "$sysroot/usr/include/python$version/aarch64-linux-gnu"

# the dependencies of the extra "test"
python -m pip install -q --target "$folder/lib/python$version/site-packages" --upgrade \
  --python-version "$version" --platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64 \
  --only-binary=:all: pybind11 numpy safetensors tokenizers rich-click h5py hypothesis jinja2 \
  pytest pytest-benchmark pytest-timeout pyyaml
