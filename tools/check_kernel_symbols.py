#!/usr/bin/env python
"""Check the kernel objects of a build: python tools/check_kernel_symbols.py build.

The linker keeps one copy of a weak symbol for all instruction sets. If it keeps AVX-512's, the
program dies on an older processor. So no symbol of these objects is weak, and every global one lies
in the namespace of its instruction set. $NM names the nm of another architecture.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path


def problems(obj: Path, isa: str) -> list[str]:
    """One line for each defined symbol of the object that breaks the rule."""
    listing = subprocess.run(
        [os.environ.get("NM", "nm"), "--defined-only", "--extern-only", "--format=posix", str(obj)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    own = re.compile(rf"_ZN[VKO]*10attnengine{len(isa)}{isa}")
    found = []
    for line in listing.splitlines():
        name, kind = line.split()[:2]
        if kind in "WwVvu":
            found.append(f"{obj}: {name} is weak")
        elif not own.match(name):
            found.append(f"{obj}: {name} is global, expected in namespace attnengine::{isa}")
    return found


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    objects = sorted(Path(sys.argv[1]).rglob("kernels_*.dir/**/*.o"))
    if not objects:
        sys.exit(f"{sys.argv[1]} has no kernel objects, expected a build directory")
    found = []
    for obj in objects:
        directory = next(part for part in obj.parts if part.startswith("kernels_"))
        isa = directory.removeprefix("kernels_").removesuffix(".dir")
        found += problems(obj, isa)
    print("\n".join(found) or f"{len(objects)} kernel objects keep to their namespaces")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
