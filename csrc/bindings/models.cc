#include <memory>
#include <optional>
#include <string>

#include "bindings/arrays.h"
#include "bindings/attention_weights.h"
#include "bindings/bind.h"
#include "core/parallel.h"
#include "core/precision.h"
#include "models/seq2seq.h"

namespace attnengine {
namespace {

using Ids = std::vector<std::int32_t>;

Encoded encode_sources(const Seq2Seq& model, const py::object& tokens, const py::object& lengths) {
  const Ids ids = integers<std::int32_t>(tokens, "tokens");
  const auto sizes = integers<std::int64_t>(lengths, "lengths");
  py::gil_scoped_release unlocked;
  return model.encode(ids.data(), std::int64_t(ids.size()), sizes.data(),
                      std::int64_t(sizes.size()));
}

// A view that keeps its memory alive, even if a later step allocates larger memory.
py::array view(const KeptMatrix& kept) {
  const Matrix m = kept.matrix();
  auto* memory = new std::shared_ptr<Buffer>(kept.memory());
  const py::capsule owner(memory, [](void* p) { delete static_cast<std::shared_ptr<Buffer>*>(p); });
  return py::array_t<float>({m.rows, m.cols}, m.data, owner);
}

py::array step(const Decoder& model, const py::object& tokens, const py::object& sequences,
               State& state, const py::object& want) {
  const Ids ids = integers<std::int32_t>(tokens, "tokens");
  const Ids owners = integers<std::int32_t>(sequences, "sequences");
  const auto count = static_cast<std::int64_t>(ids.size());
  expect_equal(std::int64_t(owners.size()), count, "sequences.shape[0]");
  const Array<bool> wanted = want.is_none() ? Array<bool>(0) : booleans(want, "want");
  const Rows rows{ids.data(), owners.data(),
                  want.is_none() ? nullptr : vector(wanted, count, "want"), count};
  const State::InStep in_step(state);
  {
    py::gil_scoped_release unlocked;
    model.step(rows, state);
  }
  return view(state.logits);
}

void bind_encoded(py::module_& m) {
  py::class_<Encoded>(m, "Encoded", "Encoded sentences, ready for a decoder.")
      .def("__len__", [](const Encoded& encoded) { return encoded.sources.size(); })
      .def(
          "length",
          [](const Encoded& encoded, std::size_t i) { return encoded.sources.at(i)->length; },
          "sentence"_a)
      .def(
          "hidden_states",
          [](const Encoded& encoded, std::size_t i) {
            const EncodedSource& source = *encoded.sources.at(i);
            return py::array_t<float>({source.length, source.size}, source.states.data());
          },
          "sentence"_a);
}

py::array attention(const State& state) {
  state.check_usable();
  if (!state.keep_alignment || !state.attention.matrix().data)
    throw InvalidArgument(
        "the last step kept no attention weights: set keep_alignment before the step");
  return view(state.attention);
}

py::tuple attentions(const State& state) {
  state.check_usable();
  if (!state.keep_all_attentions || !state.self_attentions.attentions())
    throw InvalidArgument(
        "the last step kept no attention weights of layers: set keep_all_attentions before the "
        "step");
  return py::make_tuple(attention_weights(state.self_attentions),
                        attention_weights(state.cross_attentions));
}

// Sets a switch; refuses during a step, which reads its switches several times.
template <bool State::* kSwitch>
void set_between_steps(State& state, bool on) {
  state.check_usable();
  state.*kSwitch = on;
}

void bind_state(py::module_& m) {
  const auto array = [](const Ids& ids) { return IntArray(py::ssize_t(ids.size()), ids.data()); };
  const auto checked = [](const py::object& sequences) {
    return integers<std::int32_t>(sequences, "sequences");
  };
  py::class_<State>(m, "State", "The state of a decoder's sequences between steps.")
      .def(
          "add", [=](State& s, const Encoded& encoded) { return array(s.add(encoded)); },
          "encoded"_a)
      .def(
          "add", [=](State& s, std::int64_t count) { return array(s.add(count)); }, "count"_a)
      .def(
          "fork",
          [=](State& s, const py::object& sequences) { return array(s.fork(checked(sequences))); },
          "sequences"_a)
      .def(
          "drop", [=](State& s, const py::object& sequences) { s.drop(checked(sequences)); },
          "sequences"_a)
      .def(
          "reorder",
          [=](State& s, const py::object& sequences, const py::object& parents) {
            return array(s.reorder(checked(sequences), integers<std::int32_t>(parents, "parents")));
          },
          "sequences"_a, "parents"_a)
      .def("truncate", &State::truncate, "sequence"_a, "length"_a)
      .def("length", &State::length, "sequence"_a)
      .def_property_readonly("live", &State::live)
      .def_property_readonly(
          "bytes_per_token", &State::bytes_per_token,
          "Bytes that each token of a sequence adds; 0 where the last token's alone are kept.")
      .def_property(
          "keep_alignment", [](const State& s) { return s.keep_alignment; },
          set_between_steps<&State::keep_alignment>)
      .def_property(
          "keep_all_attentions", [](const State& s) { return s.keep_all_attentions; },
          set_between_steps<&State::keep_all_attentions>)
      .def_property_readonly("attention", &attention)
      .def_property_readonly(
          "attentions", &attentions,
          "Self- and cross-attention weights of the last step, each (layers, heads, query, key).");
}

}  // namespace

void bind_models(py::module_& m) {
  m.def("limit_threads", &limit_threads, "num_threads"_a,
        "Limit all later calls from the calling thread to num_threads threads.");
  bind_encoded(m);
  bind_state(m);
  py::class_<Decoder, Shared<Decoder>>(m, "Decoder", "A model that continues sequences.")
      .def("step", &step, "tokens"_a, "sequences"_a, "state"_a, "want"_a = py::none(),
           R"(Feed new tokens and return the logits of the wanted rows.

tokens (rows,), sequences (rows,), want (rows,) or None for every row. Returns a view
(wanted rows, vocab_size) that the next step overwrites. Raises InvalidArgument for other shapes,
unknown tokens or sequences, and too many positions.
)")
      .def("new_state", &Decoder::new_state)
      .def_property("num_threads", &Decoder::num_threads, &Decoder::set_num_threads)
      .def_property_readonly("vocab_size", &Decoder::vocab_size)
      .def_property_readonly("max_positions", &Decoder::max_positions)
      .def_property_readonly(
          "cache_precision",
          [](const Decoder& d) -> std::optional<std::string> {
            const auto cache = d.cache_precision();
            return cache ? std::optional(kCachePrecisionNames[int(*cache)]) : std::nullopt;
          },
          "The precision of cached keys and values; None for a decoder without such a cache.");
  py::class_<Seq2Seq, Decoder, Shared<Seq2Seq>>(m, "Seq2Seq", "An encoder-decoder.")
      .def("encode", &encode_sources, "tokens"_a, "lengths"_a)
      .def_property_readonly("encoder_size", &Seq2Seq::encoder_size)
      .def_property_readonly("source_vocab_size", &Seq2Seq::source_vocab_size)
      .def_property_readonly("max_source_positions", &Seq2Seq::max_source_positions);
  bind_encoders(m);
  bind_rnn_models(m);
  bind_transformers(m);
}

}  // namespace attnengine
