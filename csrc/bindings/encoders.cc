#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/choices.h"
#include "models/encoder.h"

namespace attnengine {
namespace {

FloatArray hidden_states(const Encoder& model, const py::object& tokens,
                         const py::object& lengths) {
  const auto ids = integers<std::int32_t>(tokens, "tokens");
  const auto sizes = integers<std::int64_t>(lengths, "lengths");
  FloatArray states({std::int64_t(ids.size()), model.output_size()});
  const Matrix out = writable(states);
  {
    py::gil_scoped_release unlocked;
    model.hidden_states(ids.data(), out.rows, sizes.data(), std::int64_t(sizes.size()), out);
  }
  return states;
}

FloatArray encode(const Encoder& model, const py::object& tokens, const py::object& lengths,
                  const std::string& pooling) {
  const auto ids = integers<std::int32_t>(tokens, "tokens");
  const auto sizes = integers<std::int64_t>(lengths, "lengths");
  const Pooling how = pooling_of(pooling);
  FloatArray pooled({std::int64_t(sizes.size()), model.output_size()});
  const Matrix out = writable(pooled);
  {
    py::gil_scoped_release unlocked;
    model.encode(ids.data(), std::int64_t(ids.size()), sizes.data(), out.rows, how, out);
  }
  return pooled;
}

}  // namespace

void bind_encoders(py::module_& m) {
  py::class_<Encoder, Shared<Encoder>>(m, "Encoder", "A model that turns sentences into vectors.")
      .def_property("num_threads", &Encoder::num_threads, &Encoder::set_num_threads)
      .def_property_readonly("vocab_size", &Encoder::vocab_size)
      .def_property_readonly("output_size", &Encoder::output_size)
      .def_property_readonly("max_positions", &Encoder::max_positions)
      .def("hidden_states", &hidden_states, "tokens"_a, "lengths"_a)
      .def("encode", &encode, "tokens"_a, "lengths"_a, "pooling"_a);
}

}  // namespace attnengine
