#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "core/activation.h"
#include "core/matrix.h"
#include "layers/build_settings.h"

namespace attnengine {

// Bytes that several own: memory of ours, an array of the caller's, a file that is mapped.
using SharedBytes = std::shared_ptr<const std::byte>;

// Rows [begin, end) of a weight, which stay where they are until the next call.
using ReadRows = std::function<ConstMatrix(std::int64_t begin, std::int64_t end)>;

// y = activation(x @ weight.T + bias), weight packed once.
class Linear {
 public:
  // weight (out, in), bias (out,) or empty
  Linear(ConstMatrix weight, std::vector<float> bias, const BuildSettings& settings);
  // weight (out, in), read some rows at a time
  Linear(const ReadRows& weight, std::int64_t out, std::int64_t in, std::vector<float> bias,
         const BuildSettings& settings);
  // packed: what `packed()` of a layer of the same shape was, at a multiple of 64 bytes
  Linear(SharedBytes packed, std::int64_t out, std::int64_t in, std::vector<float> bias,
         Precision precision);

  // Bytes of a packed weight.
  static std::int64_t packed_bytes(Precision precision, std::int64_t out, std::int64_t in);

  std::int64_t in() const { return in_; }
  std::int64_t out() const { return out_; }
  Precision precision() const { return precision_; }
  const SharedBytes& packed() const { return packed_; }

  // x (rows, in), y (rows, out); with `add` what y holds is a part of the sum
  void operator()(ConstMatrix x, Matrix y, Activation activation = Activation::kNone,
                  bool add = false) const;

  // The weights of one output as they are kept, row (in,)
  void unpack(std::int64_t output, float* row) const;

 private:
  std::int64_t in_;
  std::int64_t out_;
  Precision precision_;
  SharedBytes packed_;       // the numbers, then what the precision adds: scales, ...
  std::vector<float> bias_;  // (out,) or empty
};

}  // namespace attnengine
