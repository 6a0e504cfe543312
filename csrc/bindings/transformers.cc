#include <memory>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "models/transformer.h"

namespace attnengine {

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

}  // namespace attnengine
