#include <memory>
#include <optional>

#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/choices.h"
#include "core/parallel.h"
#include "layers/attention_score.h"
#include "layers/embedding.h"
#include "layers/linear.h"
#include "layers/rnn_layer.h"

namespace attnengine {
namespace {

std::shared_ptr<Linear> make_linear(const FloatArray& weight, const std::optional<FloatArray>& bias,
                                    const BuildSettings& settings) {
  const ConstMatrix w = filled_matrix(weight, "weight");
  std::vector<float> b = floats(bias, "bias");
  py::gil_scoped_release unlocked;
  return std::make_shared<Linear>(w, std::move(b), settings);
}

// Checks the sizes of a weight before its numbers are read.
void check_sizes(std::int64_t out, std::int64_t in) {
  if (out < 1 || in < 1 || out > (std::int64_t(1) << 40) / in)
    throw InvalidArgument("out_features and in_features are " + std::to_string(out) + " and " +
                          std::to_string(in) +
                          ", expected at least 1 each and at most 2^40 weights");
}

std::shared_ptr<Linear> from_rows(const py::function& rows, std::int64_t out, std::int64_t in,
                                  const std::optional<FloatArray>& bias,
                                  const BuildSettings& settings) {
  check_sizes(out, in);
  std::vector<float> b = floats(bias, "bias");
  FloatArray some;  // keeps the rows alive while they are packed
  const auto read = [&](std::int64_t begin, std::int64_t end) {
    py::gil_scoped_acquire locked;
    some = rows(begin, end).cast<FloatArray>();
    const ConstMatrix found = matrix(some, "rows");
    expect_equal(found.rows, end - begin, "rows.shape[0]");
    expect_equal(found.cols, in, "rows.shape[1]");
    return found;
  };
  py::gil_scoped_release unlocked;
  return std::make_shared<Linear>(read, out, in, std::move(b), settings);
}

// A pointer that keeps a NumPy array alive; its last owner may release it in any thread.
std::shared_ptr<const void> keep(const py::array& array) {
  return {array.data(), [kept = new py::array(array)](const void*) {
            py::gil_scoped_acquire locked;
            delete kept;
          }};
}

std::shared_ptr<Linear> from_packed(const ByteArray& packed, std::int64_t out, std::int64_t in,
                                    const std::optional<FloatArray>& bias,
                                    const std::string& precision) {
  expect_dimensions(packed, 1, "packed");
  check_sizes(out, in);
  const Precision chosen = precision_of(precision);
  expect_equal(packed.size(), Linear::packed_bytes(chosen, out, in), "packed.shape[0]");
  if (reinterpret_cast<std::uintptr_t>(packed.data()) % 64 != 0)
    throw InvalidArgument("the address of packed is " +
                          std::to_string(std::uintptr_t(packed.data()) % 64) +
                          " bytes above a multiple of 64, expected a multiple of 64");
  const auto* bytes = reinterpret_cast<const std::byte*>(packed.data());
  return std::make_shared<Linear>(SharedBytes(keep(packed), bytes), out, in, floats(bias, "bias"),
                                  chosen);
}

// A read-only view of the layer's packed weight.
py::array packed_view(const Shared<Linear>& linear) {
  auto* memory = new SharedBytes(linear->packed());
  const py::capsule owner(memory, [](void* p) { delete static_cast<SharedBytes*>(p); });
  const std::int64_t bytes = Linear::packed_bytes(linear->precision(), linear->out(), linear->in());
  py::array view = ByteArray(bytes, reinterpret_cast<const std::uint8_t*>(memory->get()), owner);
  view.attr("setflags")("write"_a = false);
  return view;
}

Shared<LSTMCell> make_lstm(Shared<Linear> input, Shared<Linear> recurrent,
                           const std::string& nonlinearity, const std::string& gate_activation,
                           const std::optional<FloatArray>& peepholes,
                           const std::optional<float>& cell_clip, Shared<Linear> projection,
                           const std::optional<float>& projection_clip) {
  CellOptions options = cell_options(nonlinearity, gate_activation);
  options.cell_clip = limit(cell_clip, "cell_clip");
  LSTMCell::Extras extras{peepholes ? floats(*peepholes, "peepholes") : std::vector<float>{},
                          std::move(projection), limit(projection_clip, "projection_clip")};
  return std::make_shared<LSTMCell>(std::move(input), std::move(recurrent), options,
                                    std::move(extras));
}

void bind_cells(py::module_& m) {
  const auto nonlinearity = "nonlinearity"_a = "tanh";
  const auto gate = "gate_activation"_a = "sigmoid";
  py::class_<Cell, Shared<Cell>>(m, "Cell", "A recurrent cell.")
      .def_property_readonly("input_size", &Cell::input_size)
      .def_property_readonly("hidden_size", &Cell::hidden_size);
  py::class_<ElmanCell, Cell, Shared<ElmanCell>>(
      m, "ElmanCell", "h' = nonlinearity(W x + U h), as in torch.nn.RNN (Elman 1990).")
      .def(py::init([](Shared<Linear> input, Shared<Linear> recurrent, const std::string& name) {
             return std::make_shared<ElmanCell>(std::move(input), std::move(recurrent),
                                                cell_options(name, "sigmoid"));
           }),
           py::kw_only(), "input"_a.none(false), "recurrent"_a.none(false), nonlinearity);
  py::class_<GRUCell, Cell, Shared<GRUCell>>(m, "GRUCell",
                                             R"(A GRU cell with the gates r, z, n (Cho et al. 2014).

Without `candidate` the reset gate applies after the recurrent product, as in torch.nn.GRU. With
`candidate`, the recurrent layer of n, it applies before the product.)")
      .def(py::init([](Shared<Linear> input, Shared<Linear> recurrent, Shared<Linear> candidate,
                       const std::string& name, const std::string& gate_name) {
             return std::make_shared<GRUCell>(std::move(input), std::move(recurrent),
                                              std::move(candidate), cell_options(name, gate_name));
           }),
           py::kw_only(), "input"_a.none(false), "recurrent"_a.none(false),
           "candidate"_a = py::none(), nonlinearity, gate);
  py::class_<LSTMCell, Cell, Shared<LSTMCell>>(
      m, "LSTMCell",
      R"(An LSTM cell with the gates i, f, g, o, as in torch.nn.LSTM.

peepholes (3 * hidden,) of i, f and o (Gers and Schmidhuber 2000); cell_clip, projection and
projection_clip as in Sak et al. 2014.)")
      .def(py::init(&make_lstm), py::kw_only(), "input"_a.none(false), "recurrent"_a.none(false),
           nonlinearity, gate, "peepholes"_a = py::none(), "cell_clip"_a = py::none(),
           "projection"_a = py::none(), "projection_clip"_a = py::none());
}

BuildSettings make_settings(const std::string& precision, const std::string& cache_precision,
                            int num_threads, bool pack) {
  check_threads(num_threads);
  return {precision_of(precision), cache_precision_of(cache_precision), num_threads, pack};
}

void bind_build_settings(py::module_& m) {
  py::class_<BuildSettings>(
      m, "BuildSettings",
      "The precisions of linear layers and of cached keys and values, and the number of threads "
      "that pack a weight.\n"
      "Without pack, linear layers reserve their memory, but read no weight.")
      .def(py::init(&make_settings), py::kw_only(), "precision"_a = "float32",
           "cache_precision"_a = "float32", "num_threads"_a = 1, "pack"_a = true)
      .def_property_readonly(
          "precision", [](const BuildSettings& s) { return kPrecisionNames[int(s.precision)]; })
      .def_property_readonly(
          "cache_precision",
          [](const BuildSettings& s) { return kCachePrecisionNames[int(s.cache_precision)]; })
      .def_readonly("num_threads", &BuildSettings::num_threads)
      .def_readonly("pack", &BuildSettings::pack)
      .def(
          "with_precision",
          [](BuildSettings settings, const std::string& precision) {
            settings.precision = precision_of(precision);
            return settings;
          },
          "precision"_a, "Return these settings with another precision of linear layers.");
}

void bind_rnn_layers(py::module_& m) {
  py::class_<RnnLayer>(m, "RnnLayer",
                       R"(One recurrent layer of an encoder, in one or both directions.

separate: each direction reads only its own half of the layer below. skip: the layer adds its input
to its states (Peters et al. 2018).)")
      .def(py::init([](Shared<Cell> forward, Shared<Cell> backward, bool separate, bool skip) {
             return RnnLayer{std::move(forward), std::move(backward), separate, skip};
           }),
           py::kw_only(), "forward"_a.none(false), "backward"_a = py::none(), "separate"_a = false,
           "skip"_a = false);
  py::class_<AttentionScore, Shared<AttentionScore>>(
      m, "AttentionScore",
      "The score of attention: additive with a vector, otherwise dot. Optional linear layers "
      "project query and key.")
      .def(py::init([](Shared<Linear> query, Shared<Linear> key,
                       const std::optional<FloatArray>& vector) {
             return std::make_shared<AttentionScore>(std::move(query), std::move(key),
                                                     floats(vector, "vector"));
           }),
           py::kw_only(), "query"_a = py::none(), "key"_a = py::none(), "vector"_a = py::none());
}

}  // namespace

void bind_layers(py::module_& m) {
  bind_build_settings(m);
  const py::arg_v settings("settings", BuildSettings{}, "BuildSettings()");
  py::class_<Linear, Shared<Linear>>(
      m, "Linear",
      R"(A linear layer with a packed weight and an optional bias (out,).

The weight is an array (out, in), a function rows(begin, end) that returns (end - begin, in), or the
bytes of a packed weight. Raises InvalidArgument for other shapes.)")
      .def(py::init(&from_rows), "rows"_a, py::kw_only(), "out_features"_a, "in_features"_a,
           "bias"_a = py::none(), settings)
      .def(py::init(&make_linear), "weight"_a, "bias"_a = py::none(), py::kw_only(), settings)
      .def(py::init(&from_packed), py::kw_only(), "packed"_a, "out_features"_a, "in_features"_a,
           "bias"_a = py::none(), "precision"_a)
      .def_property_readonly("packed", &packed_view)
      .def_property_readonly("precision",
                             [](const Linear& l) { return kPrecisionNames[int(l.precision())]; })
      .def_property_readonly("in_features", &Linear::in)
      .def_property_readonly("out_features", &Linear::out);
  py::class_<Embedding, Shared<Embedding>>(m, "Embedding",
                                           "An embedding: an array (vocab_size, size), or the rows "
                                           "of a packed linear layer times scale.")
      .def(py::init<Shared<Linear>, float>(), "table"_a.none(false), py::kw_only(),
           "scale"_a = 1.0f)
      .def(py::init([](const FloatArray& weight) {
             return std::make_shared<Embedding>(filled_matrix(weight, "weight"), keep(weight));
           }),
           "weight"_a);
  bind_cells(m);
  bind_rnn_layers(m);
  bind_transformer_layers(m);
}

}  // namespace attnengine
