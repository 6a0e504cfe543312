#include "bindings/bind.h"

PYBIND11_MODULE(_core, m) {
  m.doc() = "The compiled part of attnengine.";
  attnengine::bind_errors(m);
  attnengine::bind_kernels(m);
  attnengine::bind_layers(m);
  attnengine::bind_models(m);
  attnengine::bind_decoding(m);
}
