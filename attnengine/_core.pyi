"""Types of the compiled module; the docstrings are in csrc/bindings."""

from attnengine._core_stubs.decoding import *
from attnengine._core_stubs.kernels import *
from attnengine._core_stubs.layers import *
from attnengine._core_stubs.models import *

def compiler() -> str: ...
