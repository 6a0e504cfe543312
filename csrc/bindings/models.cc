#include <memory>
#include <optional>

#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/choices.h"
#include "models/rnn_decoder.h"
#include "models/rnn_encoder.h"
#include "models/rnn_seq2seq.h"
#include "models/transformer.h"

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
      .def("length",
           [](const Encoded& encoded, std::size_t i) { return encoded.sources.at(i)->length; })
      .def(
          "hidden_states",
          [](const Encoded& encoded, std::size_t i, std::int64_t size) {
            const EncodedSource& source = *encoded.sources.at(i);
            return py::array_t<float>({source.length, size}, source.states.data());
          },
          "sentence"_a, "size"_a);
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

void bind_encoders(py::module_& m) {
  static constexpr std::pair<const char*, Pooling> kPoolings[] = {
      {"mean", Pooling::kMean},
      {"first", Pooling::kFirst},
      {"last", Pooling::kLast},
      {"attention", Pooling::kAttention}};
  py::class_<RnnEncoder, Shared<RnnEncoder>>(m, "RnnEncoder", "Stacked RNN layers.")
      .def(py::init([](Shared<Embedding> embedding, std::vector<RnnLayer> layers,
                       const std::optional<std::vector<float>>& pooling_query) {
             return std::make_shared<RnnEncoder>(std::move(embedding), std::move(layers),
                                                 pooling_query.value_or(std::vector<float>{}));
           }),
           py::kw_only(), "embedding"_a.none(false), "layers"_a, "pooling_query"_a = py::none())
      .def_property("num_threads", &RnnEncoder::num_threads, &RnnEncoder::set_num_threads)
      .def_property_readonly("vocab_size", &RnnEncoder::vocab_size)
      .def_property_readonly("output_size", &RnnEncoder::output_size)
      .def(
          "hidden_states",
          [](const RnnEncoder& model, const IntArray& tokens, const LongArray& lengths) {
            expect_dimensions(tokens, 1, "tokens");
            expect_dimensions(lengths, 1, "lengths");
            FloatArray states({tokens.shape(0), model.output_size()});
            const Matrix out = writable(states);
            const std::int32_t* t = tokens.data();
            const std::int64_t* l = lengths.data();
            const std::int64_t sentences = lengths.shape(0);
            {
              py::gil_scoped_release unlocked;
              model.hidden_states(t, out.rows, l, sentences, out);
            }
            return states;
          },
          "tokens"_a, "lengths"_a)
      .def(
          "encode",
          [](const RnnEncoder& model, const IntArray& tokens, const LongArray& lengths,
             const std::string& pooling) {
            expect_dimensions(tokens, 1, "tokens");
            expect_dimensions(lengths, 1, "lengths");
            const Pooling how = choose(kPoolings, pooling, "pooling");
            FloatArray pooled({lengths.shape(0), model.output_size()});
            const Matrix out = writable(pooled);
            const std::int32_t* t = tokens.data();
            const std::int64_t* l = lengths.data();
            const std::int64_t rows = tokens.shape(0);
            {
              py::gil_scoped_release unlocked;
              model.encode(t, rows, l, out.rows, how, out);
            }
            return pooled;
          },
          "tokens"_a, "lengths"_a, "pooling"_a);
}

using Part = RnnDecoderOptions::Part;

Shared<RnnDecoder> make_rnn_decoder(Shared<Embedding> embedding, std::vector<Shared<Cell>> cells,
                                    Shared<Linear> output, Shared<AttentionScore> attention,
                                    Shared<Linear> readout, bool query_previous, bool input_feeding,
                                    const std::vector<std::string>& readout_inputs,
                                    const std::string& readout_activation,
                                    std::int64_t encoder_size, bool with_source) {
  static constexpr std::pair<const char*, Part> kParts[] = {
      {"hidden", Part::kHidden}, {"context", Part::kContext}, {"embedding", Part::kEmbedding}};
  RnnDecoderOptions options;
  options.query_previous = query_previous;
  options.input_feeding = input_feeding;
  for (const std::string& name : readout_inputs)
    options.readout_inputs.push_back(choose(kParts, name, "readout_inputs"));
  options.readout_activation = activation(readout_activation, "readout_activation");
  return std::make_shared<RnnDecoder>(std::move(embedding),
                                      std::vector<Shared<const Cell>>(cells.begin(), cells.end()),
                                      std::move(attention), std::move(readout), std::move(output),
                                      std::move(options), encoder_size, with_source);
}

Bridge make_bridge(const std::string& input, Shared<Linear> hidden, Shared<Linear> cell,
                   const std::string& activation_name, const std::string& cell_start) {
  using Input = Bridge::Input;
  using CellStart = Bridge::CellStart;
  static constexpr std::pair<const char*, Input> kInputs[] = {{"zero", Input::kZero},
                                                              {"final", Input::kFinal},
                                                              {"last", Input::kLast},
                                                              {"mean", Input::kMean}};
  static constexpr std::pair<const char*, CellStart> kStarts[] = {
      {"own", CellStart::kOwn}, {"hidden", CellStart::kHidden}, {"zero", CellStart::kZero}};
  return {choose(kInputs, input, "input"), std::move(hidden), std::move(cell),
          activation(activation_name, "activation"), choose(kStarts, cell_start, "cell_start")};
}

void bind_rnn_models(py::module_& m) {
  py::class_<RnnDecoder, Decoder, Shared<RnnDecoder>>(
      m, "RnnDecoder", "An RNN language model, or the decoder of an encoder-decoder.")
      .def(py::init(&make_rnn_decoder), py::kw_only(), "embedding"_a.none(false), "cells"_a,
           "output"_a.none(false), "attention"_a = py::none(), "readout"_a = py::none(),
           "query_previous"_a = false, "input_feeding"_a = false,
           "readout_inputs"_a = std::vector<std::string>{"hidden"}, "readout_activation"_a = "none",
           "encoder_size"_a = 0, "with_source"_a = false);
  py::class_<Bridge>(m, "Bridge", "How the decoder's first state comes from the encoder.")
      .def(py::init(&make_bridge), py::kw_only(), "input"_a, "hidden"_a = py::none(),
           "cell"_a = py::none(), "activation"_a = "none", "cell_start"_a = "zero");
  py::class_<RnnSeq2Seq, Seq2Seq, Shared<RnnSeq2Seq>>(m, "RnnSeq2Seq",
                                                      "RNN encoder, bridge, RNN decoder.")
      .def(py::init<Shared<RnnEncoder>, Bridge, Shared<RnnDecoder>>(), py::kw_only(),
           "encoder"_a.none(false), "bridge"_a, "decoder"_a.none(false));
}

void bind_transformers(py::module_& m) {
  py::class_<TransformerStack>(m, "TransformerStack",
                               "Embedding, positions (max_positions, hidden), layers, last norm.")
      .def(py::init([](Shared<Embedding> embedding, const FloatArray& positions, float scale,
                       std::vector<TransformerLayer> layers, Shared<LayerNorm> final_norm) {
             const ConstMatrix p = matrix(positions, "positions");
             expect_equal(p.cols, embedding->size(), "positions.shape[1]");
             return TransformerStack{std::move(embedding),
                                     std::vector<float>(p.data, p.data + p.rows * p.cols), scale,
                                     std::move(layers), std::move(final_norm)};
           }),
           py::kw_only(), "embedding"_a.none(false), "positions"_a, "embedding_scale"_a, "layers"_a,
           "final_norm"_a = py::none());
  py::class_<TransformerEncoder, Shared<TransformerEncoder>>(m, "TransformerEncoder")
      .def(py::init<TransformerStack>(), "stack"_a);
  py::class_<TransformerDecoder, Decoder, Shared<TransformerDecoder>>(m, "TransformerDecoder")
      .def(py::init<TransformerStack, Shared<Linear>>(), "stack"_a, "output"_a.none(false));
  py::class_<TransformerSeq2Seq, Seq2Seq, Shared<TransformerSeq2Seq>>(m, "TransformerSeq2Seq")
      .def(py::init<Shared<TransformerEncoder>, Shared<TransformerDecoder>>(), py::kw_only(),
           "encoder"_a.none(false), "decoder"_a.none(false));
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
  bind_encoders(m);
  bind_rnn_models(m);
  bind_transformers(m);
}

}  // namespace attnengine
