#include <memory>
#include <optional>

#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/choices.h"
#include "models/rnn/rnn_decoder.h"
#include "models/rnn/rnn_encoder.h"
#include "models/rnn/rnn_seq2seq.h"
#include "models/window_decoder.h"

namespace attnengine {
namespace {

FloatArray states_after(const RnnEncoder& model, const py::object& tokens,
                        const py::object& lengths, RnnEncoderState& state) {
  const auto ids = integers<std::int32_t>(tokens, "tokens");
  const auto sizes = integers<std::int64_t>(lengths, "lengths");
  expect_equal(std::int64_t(sizes.size()), state.sentences, "lengths.shape[0]");
  FloatArray states({std::int64_t(ids.size()), model.output_size()});
  const Matrix out = writable(states);
  {
    py::gil_scoped_release unlocked;
    model.hidden_states(ids.data(), out.rows, sizes.data(), state, out);
  }
  return states;
}

void bind_encoder(py::module_& m) {
  py::class_<RnnEncoderState>(m, "RnnEncoderState",
                              "The state of an RNN encoder between calls of states_after.");
  py::class_<RnnEncoder, Encoder, Shared<RnnEncoder>>(m, "RnnEncoder",
                                                      "An encoder of stacked RNN layers.")
      .def(py::init([](Shared<Embedding> embedding, std::vector<RnnLayer> layers,
                       const std::optional<FloatArray>& pooling_query, bool all_states) {
             return std::make_shared<RnnEncoder>(std::move(embedding), std::move(layers),
                                                 floats(pooling_query, "pooling_query"),
                                                 all_states);
           }),
           py::kw_only(), "embedding"_a.none(false), "layers"_a, "pooling_query"_a = py::none(),
           "all_states"_a = false)
      .def(
          "new_state",
          [](const Shared<RnnEncoder>& model, std::int64_t sentences) {
            return std::make_unique<RnnEncoderState>(model, sentences);
          },
          "sentences"_a = 1, "Return a new state of zeros for states_after.")
      .def("states_after", &states_after, "tokens"_a, "lengths"_a, "state"_a,
           "hidden_states that start from `state`; updates `state` to the end of each sentence.");
}

using Part = RnnDecoderOptions::Part;

Shared<Readout> make_readout(Shared<Linear> linear, const std::string& activation_name) {
  const bool maxout = activation_name == "maxout";
  return std::make_shared<Readout>(
      std::move(linear),
      maxout ? Activation::kNone : activation(activation_name, "readout_activation"), maxout);
}

Shared<RnnDecoder> make_rnn_decoder(Shared<Embedding> embedding, std::vector<Shared<Cell>> cells,
                                    Shared<Linear> output, Shared<AttentionScore> attention,
                                    Shared<Cell> transition, Shared<Linear> readout,
                                    bool query_previous, bool input_feeding,
                                    const std::vector<std::string>& readout_inputs,
                                    const std::string& readout_activation,
                                    std::int64_t encoder_size, bool with_source) {
  static constexpr std::pair<const char*, Part> kParts[] = {
      {"hidden", Part::kHidden}, {"context", Part::kContext}, {"embedding", Part::kEmbedding}};
  RnnDecoderOptions options{query_previous, input_feeding, {}};
  for (const std::string& name : readout_inputs)
    options.readout_inputs.push_back(choose(kParts, name, "readout_inputs"));
  RnnDecoderLayers layers{std::move(embedding),
                          {cells.begin(), cells.end()},
                          std::move(attention),
                          std::move(transition),
                          readout ? make_readout(std::move(readout), readout_activation) : nullptr,
                          std::move(output)};
  return std::make_shared<RnnDecoder>(std::move(layers), std::move(options), encoder_size,
                                      with_source);
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

void bind_decoders(py::module_& m) {
  py::class_<RnnDecoder, Decoder, Shared<RnnDecoder>>(
      m, "RnnDecoder", "An RNN language model, or the RNN decoder of an encoder-decoder.")
      .def(py::init(&make_rnn_decoder), py::kw_only(), "embedding"_a.none(false), "cells"_a,
           "output"_a.none(false), "attention"_a = py::none(), "transition"_a = py::none(),
           "readout"_a = py::none(), "query_previous"_a = false, "input_feeding"_a = false,
           "readout_inputs"_a = std::vector<std::string>{"hidden"}, "readout_activation"_a = "none",
           "encoder_size"_a = 0, "with_source"_a = false);
  py::class_<WindowDecoder, Decoder, Shared<WindowDecoder>>(
      m, "WindowDecoder",
      "A language model that encodes the last `window` tokens again for every new token.")
      .def(py::init([](Shared<Encoder> encoder, Shared<Linear> output, std::int64_t window,
                       std::optional<std::int32_t> padding, const std::string& pooling) {
             return std::make_shared<WindowDecoder>(
                 std::move(encoder), std::move(output),
                 WindowDecoder::Window{window, padding, pooling_of(pooling)});
           }),
           py::kw_only(), "encoder"_a.none(false), "output"_a.none(false), "window"_a,
           "padding"_a = py::none(), "pooling"_a);
  py::class_<Bridge>(m, "Bridge", "Computes the decoder's first state from the encoder's states.")
      .def(py::init(&make_bridge), py::kw_only(), "input"_a, "hidden"_a = py::none(),
           "cell"_a = py::none(), "activation"_a = "none", "cell_start"_a = "zero");
  py::class_<RnnSeq2Seq, Seq2Seq, Shared<RnnSeq2Seq>>(
      m, "RnnSeq2Seq", "An RNN encoder, a bridge and an RNN decoder.")
      .def(py::init<Shared<RnnEncoder>, Bridge, Shared<RnnDecoder>>(), py::kw_only(),
           "encoder"_a.none(false), "bridge"_a, "decoder"_a.none(false));
}

}  // namespace

void bind_rnn_models(py::module_& m) {
  bind_encoder(m);
  bind_decoders(m);
}

}  // namespace attnengine
