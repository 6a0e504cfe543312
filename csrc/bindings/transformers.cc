#include <memory>
#include <optional>

#include "bindings/arrays.h"
#include "bindings/attention_weights.h"
#include "bindings/bind.h"
#include "bindings/choices.h"
#include "layers/build_settings.h"
#include "models/transformer/seq2seq.h"
#include "models/transformer/speech.h"

namespace attnengine {
namespace {

TransformerStack make_stack(Shared<Embedding> embedding, std::int64_t max_positions,
                            std::vector<TransformerLayer> layers,
                            const std::optional<FloatArray>& positions, float embedding_scale,
                            Shared<Norm> embedding_norm, Shared<Linear> projection,
                            Shared<Norm> final_norm) {
  std::vector<float> table;
  if (positions) {
    const ConstMatrix p = matrix(*positions, "positions");
    expect_equal(p.rows, max_positions, "positions.shape[0]");
    if (embedding) expect_equal(p.cols, embedding->size(), "positions.shape[1]");
    table.assign(p.data, p.data + p.rows * p.cols);
  }
  return {std::move(embedding), std::move(table),          max_positions,
          embedding_scale,      std::move(embedding_norm), std::move(projection),
          std::move(layers),    std::move(final_norm)};
}

FloatArray encoder_attentions(const TransformerEncoder& encoder, const py::object& tokens) {
  const auto ids = integers<std::int32_t>(tokens, "tokens");
  AttentionRecord record;
  {
    py::gil_scoped_release unlocked;
    record = encoder.attentions(ids.data(), std::int64_t(ids.size()));
  }
  return attention_weights(record);
}

Encoded encode_frames(const SpeechSeq2Seq& model, const FloatArray& frames,
                      const py::object& lengths) {
  const ConstMatrix rows = matrix(frames, "frames");
  const auto sizes = integers<std::int64_t>(lengths, "lengths");
  py::gil_scoped_release unlocked;
  return model.encode(rows, sizes.data(), std::int64_t(sizes.size()));
}

void bind_speech(py::module_& m) {
  py::class_<Convolution>(m, "Convolution",
                          "A convolution of width 3 over time: a linear layer (out, 3 * in).")
      .def(py::init<Shared<Linear>, std::int64_t>(), "linear"_a.none(false), py::kw_only(),
           "stride"_a = 1);
  py::class_<SpeechEncoder, Shared<SpeechEncoder>>(
      m, "SpeechEncoder",
      "An encoder of speech: convolutions over frames, then a stack without an embedding.")
      .def(py::init([](std::vector<Convolution> convolutions, const std::string& name,
                       const TransformerStack& stack) {
             return std::make_shared<SpeechEncoder>(std::move(convolutions),
                                                    activation(name, "activation"), stack);
           }),
           py::kw_only(), "convolutions"_a, "activation"_a, "stack"_a);
  py::class_<SpeechSeq2Seq, Decoder, Shared<SpeechSeq2Seq>>(m, "SpeechSeq2Seq")
      .def(py::init<Shared<SpeechEncoder>, Shared<TransformerDecoder>>(), py::kw_only(),
           "encoder"_a.none(false), "decoder"_a.none(false))
      .def("encode", &encode_frames, "frames"_a, "lengths"_a,
           R"(Encode recordings.

frames (rows, num_mels) of all recordings in sequence, lengths (recordings,) in frames.)")
      .def_property_readonly("num_mels",
                             [](const SpeechSeq2Seq& s) { return s.encoder().num_mels(); })
      .def_property_readonly("max_frames",
                             [](const SpeechSeq2Seq& s) { return s.encoder().max_frames(); })
      .def_property_readonly("encoder_size",
                             [](const SpeechSeq2Seq& s) { return s.encoder().output_size(); });
}

}  // namespace

void bind_transformers(py::module_& m) {
  py::class_<TransformerStack>(
      m, "TransformerStack",
      R"(The parts of an encoder or decoder: embedding, positions, layers and norms.

positions (max_positions, embedding size) or None; max_positions 0: no limit.)")
      .def(py::init(&make_stack), py::kw_only(), "embedding"_a, "max_positions"_a, "layers"_a,
           "positions"_a = py::none(), "embedding_scale"_a = 1.0f, "embedding_norm"_a = py::none(),
           "projection"_a = py::none(), "final_norm"_a = py::none());
  py::class_<TransformerEncoder, Encoder, Shared<TransformerEncoder>>(m, "TransformerEncoder")
      .def(py::init([](const TransformerStack& stack, const std::optional<FloatArray>& query) {
             return std::make_shared<TransformerEncoder>(stack, floats(query, "pooling_query"));
           }),
           "stack"_a, py::kw_only(), "pooling_query"_a = py::none())
      .def("attentions", &encoder_attentions, "tokens"_a,
           R"(The self-attention weights of one sentence, (layers, heads, query, key).

tokens (rows,).)");
  py::class_<TransformerDecoder, Decoder, Shared<TransformerDecoder>>(m, "TransformerDecoder")
      .def(py::init([](const TransformerStack& stack, const Shared<Linear>& output,
                       const BuildSettings& settings, float cap) {
             return std::make_shared<TransformerDecoder>(stack, output, cap,
                                                         settings.cache_precision);
           }),
           "stack"_a, "output"_a.none(false), py::kw_only(), "settings"_a, "logit_cap"_a = 0.0f);
  py::class_<TransformerSeq2Seq, Seq2Seq, Shared<TransformerSeq2Seq>>(m, "TransformerSeq2Seq")
      .def(py::init<Shared<TransformerEncoder>, Shared<TransformerDecoder>>(), py::kw_only(),
           "encoder"_a.none(false), "decoder"_a.none(false))
      .def_property_readonly("encoder", &TransformerSeq2Seq::encoder);
  bind_speech(m);
}

}  // namespace attnengine
