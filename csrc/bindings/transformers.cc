#include <memory>
#include <optional>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "models/transformer.h"

namespace attnengine {

void bind_transformers(py::module_& m) {
  py::class_<TransformerStack>(m, "TransformerStack",
                               "Embedding, positions (max_positions, hidden), layers, last norm.")
      .def(py::init([](Shared<Embedding> embedding, std::int64_t max_positions,
                       std::vector<TransformerLayer> layers,
                       const std::optional<FloatArray>& positions, float scale,
                       Shared<Norm> final_norm) {
             std::vector<float> table;
             if (positions) {
               const ConstMatrix p = matrix(*positions, "positions");
               expect_equal(p.rows, max_positions, "positions.shape[0]");
               expect_equal(p.cols, embedding->size(), "positions.shape[1]");
               table.assign(p.data, p.data + p.rows * p.cols);
             }
             return TransformerStack{std::move(embedding), std::move(table),
                                     max_positions,        scale,
                                     std::move(layers),    std::move(final_norm)};
           }),
           py::kw_only(), "embedding"_a.none(false), "max_positions"_a, "layers"_a,
           "positions"_a = py::none(), "embedding_scale"_a = 1.0f, "final_norm"_a = py::none());
  py::class_<TransformerEncoder, Shared<TransformerEncoder>>(m, "TransformerEncoder")
      .def(py::init<TransformerStack>(), "stack"_a);
  py::class_<TransformerDecoder, Decoder, Shared<TransformerDecoder>>(m, "TransformerDecoder")
      .def(py::init<TransformerStack, Shared<Linear>>(), "stack"_a, "output"_a.none(false));
  py::class_<TransformerSeq2Seq, Seq2Seq, Shared<TransformerSeq2Seq>>(m, "TransformerSeq2Seq")
      .def(py::init<Shared<TransformerEncoder>, Shared<TransformerDecoder>>(), py::kw_only(),
           "encoder"_a.none(false), "decoder"_a.none(false));
}

}  // namespace attnengine
