#include <memory>
#include <optional>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "models/transformer.h"

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
    expect_equal(p.cols, embedding->size(), "positions.shape[1]");
    table.assign(p.data, p.data + p.rows * p.cols);
  }
  return {std::move(embedding), std::move(table),          max_positions,
          embedding_scale,      std::move(embedding_norm), std::move(projection),
          std::move(layers),    std::move(final_norm)};
}

}  // namespace

void bind_transformers(py::module_& m) {
  py::class_<TransformerStack>(
      m, "TransformerStack",
      "Embedding, positions (max_positions, embedding size), layers, norms; max_positions 0: any.")
      .def(py::init(&make_stack), py::kw_only(), "embedding"_a.none(false), "max_positions"_a,
           "layers"_a, "positions"_a = py::none(), "embedding_scale"_a = 1.0f,
           "embedding_norm"_a = py::none(), "projection"_a = py::none(),
           "final_norm"_a = py::none());
  py::class_<TransformerEncoder, Encoder, Shared<TransformerEncoder>>(m, "TransformerEncoder")
      .def(py::init([](const TransformerStack& stack, const std::optional<FloatArray>& query) {
             return std::make_shared<TransformerEncoder>(stack, floats(query, "pooling_query"));
           }),
           "stack"_a, py::kw_only(), "pooling_query"_a = py::none());
  py::class_<TransformerDecoder, Decoder, Shared<TransformerDecoder>>(m, "TransformerDecoder")
      .def(py::init<TransformerStack, Shared<Linear>, float>(), "stack"_a, "output"_a.none(false),
           py::kw_only(), "logit_cap"_a = 0.0f);
  py::class_<TransformerSeq2Seq, Seq2Seq, Shared<TransformerSeq2Seq>>(m, "TransformerSeq2Seq")
      .def(py::init<Shared<TransformerEncoder>, Shared<TransformerDecoder>>(), py::kw_only(),
           "encoder"_a.none(false), "decoder"_a.none(false));
}

}  // namespace attnengine
