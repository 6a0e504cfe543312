#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "layers/ragged.h"
#include "models/state.h"

namespace attnengine {

// The new tokens of one step, of any number of sequences; a prompt is adjacent rows in order.
struct Rows {
  const std::int32_t* tokens;     // (count,)
  const std::int32_t* sequences;  // (count,) which sequence of the state each token extends
  const bool* want;               // (count,) the rows that need logits; null: every row
  std::int64_t count;

  bool wanted(std::int64_t row) const { return !want || want[row]; }
  // output_rows (count,): of each row that of the logits, or -1. Returns how many are wanted.
  std::int64_t number_wanted(std::vector<std::int64_t>& output_rows) const;
};

// The number of threads of a step; several Python threads may use a model at once.
class HasThreads {
 public:
  virtual ~HasThreads() = default;  // polymorphic: it lies at the start of what derives from it

  int num_threads() const { return num_threads_; }
  void set_num_threads(int threads);

 private:
  std::atomic<int> num_threads_{1};
};

// A model that continues sequences. It is never changed by a step: all that changes is the state's.
class Decoder : public HasThreads {
 public:
  Decoder();

  // Tells which decoder a state belongs to. An address would not: a later decoder may have it too.
  virtual std::int64_t id() const { return id_; }

  virtual std::unique_ptr<State> new_state() const = 0;
  virtual std::int64_t vocab_size() const = 0;
  virtual std::int64_t max_positions() const { return 0; }  // 0: any length
  // The precision of the keys and values that it keeps; none where it keeps none.
  virtual std::optional<CachePrecision> cache_precision() const { return {}; }

  // Leaves the logits of the wanted rows in state.logits. Throws InvalidArgument, before anything
  // changes, for a token or a sequence that does not exist, rows of one sequence that are not
  // adjacent, and a sequence that would pass max_positions. A step that fails later, for want of
  // memory, leaves a state that can only be thrown away.
  void step(const Rows& rows, State& state) const;

 protected:
  // `ranges` are the rows of each sequence, `index` its number in the state.
  virtual void run(const Rows& rows, const std::vector<RowRange>& ranges, State& state) const = 0;

 private:
  friend class SourceDecoder;

  void check_rows(const Rows& rows, const std::vector<RowRange>& ranges, const State& state) const;

  std::int64_t id_;
};

}  // namespace attnengine
