#include "layers/transformer_layers.h"

#include <cmath>
#include <memory>
#include <optional>

#include <pybind11/stl.h>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "bindings/choices.h"
#include "bindings/dynamic_base.h"

namespace attnengine {
namespace {

void bind_norms(py::module_& m) {
  py::class_<Norm, Shared<Norm>>(m, "Norm", "The base class of normalisations of each row.");
  py::class_<LayerNorm, Norm, Shared<LayerNorm>>(
      m, "LayerNorm",
      "Layer normalisation (Ba et al. 2016): weight (size,), bias (size,) or None for zeros.")
      .def(py::init([](const FloatArray& weight, const std::optional<FloatArray>& bias, float eps) {
             std::vector<float> w = floats(weight, "weight");
             std::vector<float> b = floats(bias, "bias");
             if (!bias) b.resize(w.size());
             return std::make_shared<LayerNorm>(std::move(w), std::move(b), eps);
           }),
           "weight"_a, "bias"_a, py::kw_only(), "eps"_a);
  py::class_<PerHeadLayerNorm, Norm, Shared<PerHeadLayerNorm>>(
      m, "PerHeadLayerNorm",
      "Layer normalisation of each head with its own weight (num_heads, head_dim).")
      .def(py::init([](const FloatArray& weight, float eps) {
             const ConstMatrix w = filled_matrix(weight, "weight");
             return std::make_shared<PerHeadLayerNorm>(
                 std::vector<float>(w.data, w.data + w.rows * w.cols), w.cols, eps);
           }),
           "weight"_a, py::kw_only(), "eps"_a);
  py::class_<RMSNorm, Norm, Shared<RMSNorm>>(
      m, "RMSNorm", "RMS normalisation (Zhang and Sennrich 2019): weight (size,).")
      .def(py::init([](const FloatArray& weight, float eps) {
             return std::make_shared<RMSNorm>(floats(weight, "weight"), eps);
           }),
           "weight"_a, py::kw_only(), "eps"_a);
  py::class_<BlockNorm>(m, "BlockNorm",
                        "The norms of a block: before the block, on its output, and after the "
                        "residual sum.")
      .def(py::init([](Shared<Norm> before, Shared<Norm> inside, Shared<Norm> after) {
             return BlockNorm{std::move(before), std::move(inside), std::move(after)};
           }),
           py::kw_only(), "before"_a = py::none(), "inside"_a = py::none(), "after"_a = py::none());
}

void bind_positions(py::module_& m) {
  py::class_<Rotary, Shared<Rotary>>(
      m, "Rotary",
      "Rotary positions (Su et al. 2021): frequencies (half,) in radians per position.")
      .def(py::init([](const FloatArray& frequencies, float factor, const Dynamic& dynamic) {
             return std::make_shared<Rotary>(floats(frequencies, "frequencies"), factor,
                                             dynamic_base(dynamic));
           }),
           "frequencies"_a, py::kw_only(), "factor"_a = 1.0f, "dynamic"_a = py::none(),
           R"(factor multiplies sines and cosines.

dynamic (base, factor, trained): from position `trained` on the frequencies follow NTK-aware
scaling for a text that ends at the position; None keeps them.)");
  py::class_<PositionBias, Shared<PositionBias>>(
      m, "PositionBias",
      "A bias that is added to attention scores. table (num_heads, 2 * reach + 1) and slopes "
      "(num_heads,) depend on the distance, keys (num_heads, positions) on the key's position.")
      .def(py::init([](const std::optional<FloatArray>& table,
                       const std::optional<FloatArray>& slopes,
                       const std::optional<FloatArray>& keys) {
             PositionBias bias{{}, 0, floats(slopes, "slopes"), {}, 0};
             if (keys) {
               const ConstMatrix k = filled_matrix(*keys, "keys");
               bias.keys.assign(k.data, k.data + k.rows * k.cols);
               bias.positions = k.cols;
             }
             if (!table) return bias;
             const ConstMatrix t = filled_matrix(*table, "table");
             if (t.cols % 2 == 0)
               throw InvalidArgument("table.shape[1] is " + std::to_string(t.cols) +
                                     ", expected an odd number");
             bias.table.assign(t.data, t.data + t.rows * t.cols);
             bias.reach = t.cols / 2;
             return bias;
           }),
           py::kw_only(), "table"_a = py::none(), "slopes"_a = py::none(), "keys"_a = py::none());
}

MultiHeadAttention make_attention(Shared<Linear> output, std::int64_t num_heads,
                                  Shared<Linear> query_key_value, Shared<Linear> query,
                                  Shared<Linear> key_value,
                                  std::optional<std::int64_t> num_kv_heads, Shared<Rotary> rotary,
                                  std::optional<float> scale, std::int64_t window, float score_cap,
                                  float clip, Shared<Norm> query_norm, Shared<Norm> key_norm,
                                  Shared<PositionBias> position_bias) {
  const int parts =
      (query_key_value != nullptr) + 2 * (query != nullptr) + 4 * (key_value != nullptr);
  if (parts != 1 && parts != 6)
    throw InvalidArgument(
        "the given projections do not fit together, expected either query_key_value alone, or "
        "query "
        "and key_value");
  MultiHeadAttention attention;
  attention.query_key_value = std::move(query_key_value);
  attention.query = std::move(query);
  attention.key_value = std::move(key_value);
  attention.output = std::move(output);
  if (num_heads < 1)
    throw InvalidArgument("num_heads is " + std::to_string(num_heads) + ", expected at least 1");
  attention.num_heads = num_heads;
  attention.num_kv_heads = num_kv_heads.value_or(num_heads);
  attention.rotary = std::move(rotary);
  const auto head_dim = static_cast<float>(attention.head_dim());
  attention.scale = scale.value_or(1 / std::sqrt(head_dim));
  attention.window = window;
  attention.score_cap = score_cap;
  attention.clip = clip;
  attention.query_norm = std::move(query_norm);
  attention.key_norm = std::move(key_norm);
  attention.position_bias = std::move(position_bias);
  return attention;
}

void bind_attention(py::module_& m) {
  py::class_<MultiHeadAttention>(m, "MultiHeadAttention",
                                 R"(Multi-head attention (Vaswani et al. 2017).

Self-attention has query_key_value, ((num_heads + 2 * num_kv_heads) * head_dim, hidden).
Cross-attention has query, (num_heads * head_dim, hidden), and key_value,
(2 * num_kv_heads * head_dim, hidden).)")
      .def(py::init(&make_attention), py::kw_only(), "output"_a.none(false), "num_heads"_a,
           "query_key_value"_a = py::none(), "query"_a = py::none(), "key_value"_a = py::none(),
           "num_kv_heads"_a = py::none(), "rotary"_a = py::none(), "scale"_a = py::none(),
           "window"_a = 0, "score_cap"_a = 0.0f, "clip"_a = 0.0f, "query_norm"_a = py::none(),
           "key_norm"_a = py::none(), "position_bias"_a = py::none());
}

void bind_feed_forward(py::module_& m) {
  py::class_<FeedForwardBlock, Shared<FeedForwardBlock>>(m, "FeedForwardBlock",
                                                         "The base class of feed-forward blocks.");
  py::class_<FeedForward, FeedForwardBlock, Shared<FeedForward>>(
      m, "FeedForward",
      "down(activation(up(x))); gated: the output of `up` is the gate and the values side by side.")
      .def(
          py::init([](Shared<Linear> up, Shared<Linear> down, const std::string& name, bool gated) {
            return std::make_shared<FeedForward>(std::move(up), std::move(down),
                                                 activation(name, "activation"), gated);
          }),
          py::kw_only(), "up"_a.none(false), "down"_a.none(false), "activation"_a,
          "gated"_a = false);
  py::class_<Experts, FeedForwardBlock, Shared<Experts>>(
      m, "Experts",
      R"(A mixture of experts (Jiang et al. 2024).

The router, a linear layer (experts, hidden), weights the experts of each row. The best
experts_per_token experts are summed by weight; normalise: their weights sum to 1.)")
      .def(py::init([](Shared<Linear> router, std::vector<Shared<FeedForward>> experts,
                       std::int64_t experts_per_token, bool normalise) {
             for (const auto& expert : experts)
               if (!expert)
                 throw InvalidArgument("experts holds None, expected FeedForward objects only");
             return std::make_shared<Experts>(
                 std::move(router),
                 std::vector<Shared<const FeedForward>>(experts.begin(), experts.end()),
                 experts_per_token, normalise);
           }),
           py::kw_only(), "router"_a.none(false), "experts"_a, "experts_per_token"_a,
           "normalise"_a = true);
}

void bind_layer(py::module_& m) {
  py::class_<TransformerLayer>(m, "TransformerLayer", "A layer of an encoder or a decoder.")
      .def(py::init([](const std::optional<MultiHeadAttention>& self_attention,
                       const BlockNorm& self_norm, Shared<FeedForwardBlock> feed_forward,
                       const BlockNorm& feed_forward_norm,
                       const std::optional<MultiHeadAttention>& cross_attention,
                       const std::optional<BlockNorm>& cross_norm, bool parallel,
                       Shared<Recurrence> recurrence) {
             if (self_attention.has_value() == (recurrence != nullptr))
               throw InvalidArgument(
                   "self_attention and recurrence are both given or both None, expected one");
             if (cross_attention.has_value() != cross_norm.has_value())
               throw InvalidArgument(
                   "one of cross_attention and cross_attention_norm is None, expected both or "
                   "neither");
             return TransformerLayer{self_attention.value_or(MultiHeadAttention{}),
                                     self_norm,
                                     std::move(feed_forward),
                                     feed_forward_norm,
                                     cross_attention.value_or(MultiHeadAttention{}),
                                     cross_norm.value_or(BlockNorm{}),
                                     std::move(recurrence),
                                     parallel};
           }),
           py::kw_only(), "self_attention"_a, "self_attention_norm"_a, "feed_forward"_a.none(false),
           "feed_forward_norm"_a, "cross_attention"_a = py::none(),
           "cross_attention_norm"_a = py::none(), "parallel"_a = false,
           "recurrence"_a = py::none());
}

void bind_recurrences(py::module_& m) {
  py::class_<Recurrence, Shared<Recurrence>>(m, "Recurrence",
                                             "The base class of recurrences that replace a "
                                             "decoder's self-attention.");
  py::class_<SimpleRecurrence, Recurrence, Shared<SimpleRecurrence>>(
      m, "SimpleRecurrence", "The simpler simple recurrent unit, SSRU (Kim et al. 2019).")
      .def(py::init<Shared<Linear>, Shared<Linear>>(), py::kw_only(), "forget"_a.none(false),
           "input"_a.none(false));
  py::class_<AverageRecurrence, Recurrence, Shared<AverageRecurrence>>(
      m, "AverageRecurrence", "The average attention network (Zhang et al. 2018).")
      .def(py::init<Shared<Linear>, Shared<FeedForwardBlock>>(), py::kw_only(),
           "gate"_a.none(false), "feed_forward"_a = py::none());
}

}  // namespace

void bind_transformer_layers(py::module_& m) {
  bind_norms(m);
  bind_positions(m);
  bind_attention(m);
  bind_feed_forward(m);
  bind_recurrences(m);
  bind_layer(m);
}

}  // namespace attnengine
