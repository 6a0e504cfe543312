#include <memory>
#include <optional>

#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "models/decoder.h"

namespace attnengine {
namespace {

template <class T>
using Shared = std::shared_ptr<T>;

Encoded encode(const Seq2Seq& model, const IntArray& tokens, const LongArray& lengths) {
  expect_dimensions(tokens, 1, "tokens");
  expect_dimensions(lengths, 1, "lengths");
  const std::int32_t* t = tokens.data();
  const std::int64_t* l = lengths.data();
  const std::int64_t rows = tokens.shape(0), sentences = lengths.shape(0);
  py::gil_scoped_release unlocked;
  return model.encode(t, rows, l, sentences);
}

// A view that keeps its memory alive, also after a later step needed a larger one.
py::array view(const KeptMatrix& kept) {
  const Matrix m = kept.matrix();
  auto* memory = new std::shared_ptr<Buffer>(kept.memory());
  const py::capsule owner(memory, [](void* p) { delete static_cast<std::shared_ptr<Buffer>*>(p); });
  return py::array_t<float>({m.rows, m.cols}, m.data, owner);
}

py::array step(const Decoder& model, const IntArray& tokens, const IntArray& sequences,
               State& state, const std::optional<Array<bool>>& want) {
  expect_dimensions(tokens, 1, "tokens");
  const std::int64_t count = tokens.shape(0);
  const Rows rows{tokens.data(), vector(sequences, count, "sequences"),
                  want ? vector(*want, count, "want") : nullptr, count};
  {
    py::gil_scoped_release unlocked;
    model.step(rows, state);
  }
  return view(state.logits);
}

void bind_state(py::module_& m) {
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
  const auto ids = [](const std::vector<std::int32_t>& v) {
    return py::array_t<std::int32_t>(v.size(), v.data());
  };
  using Ids = std::vector<std::int32_t>;
  py::class_<State>(m, "State", "What a decoder carries for its sequences between steps.")
      .def(
          "add", [=](State& s, const Encoded& encoded) { return ids(s.add(encoded)); }, "encoded"_a)
      .def(
          "add", [=](State& s, std::int64_t count) { return ids(s.add(count)); }, "count"_a)
      .def(
          "fork", [=](State& s, const Ids& sequences) { return ids(s.fork(sequences)); },
          "sequences"_a)
      .def("drop", &State::drop, "sequences"_a)
      .def(
          "reorder",
          [=](State& s, const Ids& sequences, const Ids& parents) {
            return ids(s.reorder(sequences, parents));
          },
          "sequences"_a, "parents"_a)
      .def("truncate", &State::truncate, "sequence"_a, "length"_a)
      .def("length", &State::length, "sequence"_a)
      .def_property_readonly("live", &State::live)
      .def_readwrite("keep_attention", &State::keep_attention)
      .def_property_readonly("attention", [](const State& state) {
        if (!state.keep_attention || !state.attention.matrix().data)
          throw InvalidArgument("attention was not kept: set keep_attention before the step");
        return view(state.attention);
      });
}

}  // namespace

void bind_models(py::module_& m) {
  bind_state(m);
  py::class_<Decoder, Shared<Decoder>>(m, "Decoder", "A model that continues sequences.")
      .def("step", &step, "tokens"_a, "sequences"_a, "state"_a, "want"_a = py::none(),
           R"(Feeds new tokens and returns the logits of the wanted rows.

tokens (rows,), sequences (rows,), want (rows,) or None for every row. Returns a view
(wanted rows, vocab_size) that the next step overwrites.
)")
      .def("new_state", &Decoder::new_state)
      .def_property("num_threads", &Decoder::num_threads, &Decoder::set_num_threads)
      .def_property_readonly("vocab_size", &Decoder::vocab_size)
      .def_property_readonly("max_positions", &Decoder::max_positions);
  py::class_<Seq2Seq, Decoder, Shared<Seq2Seq>>(m, "Seq2Seq", "An encoder in front of a decoder.")
      .def("encode", &encode, "tokens"_a, "lengths"_a)
      .def_property_readonly("encoder_size", &Seq2Seq::encoder_size)
      .def_property_readonly("source_vocab_size", &Seq2Seq::source_vocab_size)
      .def_property_readonly("max_source_positions", &Seq2Seq::max_source_positions);
  bind_rnn_models(m);
  bind_transformers(m);
}

}  // namespace attnengine
