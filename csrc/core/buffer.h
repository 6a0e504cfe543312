#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/matrix.h"
#include "core/range.h"

namespace attnengine {

// Scratch memory aligned to a cache line. It grows and never shrinks, so a steady step allocates
// nothing; growing does not keep what was in it.
class Buffer {
 public:
  float* floats(std::int64_t size) {
    if (size > capacity_) allocate(size);
    return data_.get();
  }

  std::byte* bytes(std::int64_t size) {
    return reinterpret_cast<std::byte*>(floats(ceil_divide(size, sizeof(float))));
  }

  Matrix matrix(std::int64_t rows, std::int64_t cols) { return {floats(rows * cols), rows, cols}; }

  const float* data() const { return data_.get(); }
  std::int64_t capacity() const { return capacity_; }

 private:
  struct Free {
    explicit Free(std::int64_t allocated) : bytes(allocated) {}
    void operator()(float* p) const;
    std::int64_t bytes;
  };

  void allocate(std::int64_t size);

  std::unique_ptr<float[], Free> data_{nullptr, Free(0)};
  std::int64_t capacity_ = 0;
};

// A matrix that callers may hold on to: when a larger one is needed, they keep the old memory.
class KeptMatrix {
 public:
  const Matrix& resize(std::int64_t rows, std::int64_t cols) {
    const bool fits = memory_ && memory_->capacity() >= rows * cols;
    const auto memory = fits ? memory_ : std::make_shared<Buffer>();
    matrix_ = memory->matrix(rows, cols);  // if this throws, the old matrix stays
    memory_ = memory;
    return matrix_;
  }

  const Matrix& matrix() const { return matrix_; }
  const std::shared_ptr<Buffer>& memory() const { return memory_; }

 private:
  std::shared_ptr<Buffer> memory_;
  Matrix matrix_{};
};

}  // namespace attnengine
