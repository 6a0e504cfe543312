#include "kernels/kernels.h"

#include <optional>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"

namespace attnengine {
namespace {

FloatArray linear(const FloatArray& x, const FloatArray& weight,
                  const std::optional<FloatArray>& bias) {
  const ConstMatrix input = matrix(x, "x"), w = matrix(weight, "weight");
  expect_equal(input.cols, w.cols, "x.shape[1]");
  const float* b = bias ? vector(*bias, w.rows, "bias") : nullptr;
  FloatArray y({input.rows, w.rows});
  const Matrix out = writable(y);
  py::gil_scoped_release unlocked;
  std::vector<float> packed(packed_linear_size(w.rows, w.cols));
  kernels().pack_linear(w, packed.data());
  kernels().linear({input, packed.data(), b, Activation::kNone, out});
  return y;
}

}  // namespace

void bind_kernels(py::module_& m) {
  m.def("isa", [] { return kernels().isa; }, "Name of the instruction set in use.");
  m.def("linear", &linear, "x"_a, "weight"_a, "bias"_a = py::none(),
        R"(x @ weight.T + bias.

x (rows, in), weight (out, in), bias (out,) or None. Returns (rows, out).
)");
}

}  // namespace attnengine
