#include "bindings/bind.h"

#ifdef __clang__
#define ATTNENGINE_COMPILER __VERSION__  // begins with the compiler's name
#else
#define ATTNENGINE_COMPILER "GCC " __VERSION__
#endif

PYBIND11_MODULE(_core, m) {
  m.doc() = "The compiled part of attnengine.";
  m.def(
      "compiler", [] { return ATTNENGINE_COMPILER; },
      "Name and version of the compiler of this module.");
  attnengine::bind_errors(m);
  attnengine::bind_kernels(m);
  attnengine::bind_layers(m);
  attnengine::bind_models(m);
  attnengine::bind_decoding(m);
}
