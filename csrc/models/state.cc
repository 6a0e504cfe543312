#include "models/state.h"

#include <cstdint>
#include <limits>
#include <string>

#include "core/errors.h"
#include "core/range.h"

namespace attnengine {
namespace {

constexpr const char* kInUse = "state is in use by another thread, expected one thread at a time";
constexpr std::int64_t kChunkTokens = 64;

}  // namespace

State::State(std::int64_t decoder, bool with_source, Slots slots)
    : decoder_(decoder),
      with_source_(with_source),
      slots_(slots),
      pool_(slots.size, kChunkTokens / slots.tokens) {}

State::InStep::InStep(State& state) : state_(state) {
  state.check_usable();
  if (state.in_step_.exchange(true)) throw Error(kInUse);
}

void State::check_usable() const {
  if (in_step_) throw Error(kInUse);
  if (half_changed_) throw Error("a step of this state failed half-way, expected a new state");
}

std::vector<std::int32_t> State::add(const Encoded& encoded) {
  check_usable();
  if (!with_source_)
    throw InvalidArgument("encoded was given to a language model, expected a number of sequences");
  if (encoded.decoder != decoder_)
    throw InvalidArgument("encoded comes from another model than this state");
  std::vector<std::int32_t> out;
  for (const auto& source : encoded.sources) out.push_back(new_sequence(source));
  return out;
}

std::vector<std::int32_t> State::add(std::int64_t count) {
  check_usable();
  if (with_source_)
    throw InvalidArgument(
        "a number of sequences was given to an encoder-decoder, expected encoded");
  const auto most = std::numeric_limits<std::int32_t>::max() - std::int64_t(sequences_.size());
  if (count < 0 || count > most)
    throw InvalidArgument("count is " + std::to_string(count) + ", expected 0 to " +
                          std::to_string(most));
  std::vector<std::int32_t> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(new_sequence(nullptr));
  return out;
}

std::vector<std::int32_t> State::fork(const std::vector<std::int32_t>& sequences) {
  check_usable();
  for (std::size_t i = 0; i < sequences.size(); ++i) check(sequences[i], "sequences", i);
  std::vector<std::int32_t> out;
  for (const std::int32_t sequence : sequences) out.push_back(fork_one(sequence));
  return out;
}

void State::drop(const std::vector<std::int32_t>& sequences) {
  check_usable();
  check_distinct(sequences);
  for (const std::int32_t sequence : sequences) drop_one(sequence);
}

std::vector<std::int32_t> State::reorder(const std::vector<std::int32_t>& sequences,
                                         const std::vector<std::int32_t>& parents) {
  check_usable();
  check_distinct(sequences);
  std::vector<bool> used(sequences.size(), false);
  for (std::size_t i = 0; i < parents.size(); ++i)
    if (parents[i] < 0 || std::size_t(parents[i]) >= sequences.size())
      throw InvalidArgument("parents[" + std::to_string(i) + "] is " + std::to_string(parents[i]) +
                            ", expected 0 to " +
                            std::to_string(std::int64_t(sequences.size()) - 1));

  std::vector<std::int32_t> out;
  for (const std::int32_t parent : parents) {
    // an only child, or the first, takes its parent's slot
    out.push_back(used[parent] ? fork_one(sequences[parent]) : sequences[parent]);
    used[parent] = true;
  }
  for (std::size_t i = 0; i < sequences.size(); ++i)
    if (!used[i]) drop_one(sequences[i]);
  return out;
}

void State::truncate(std::int32_t sequence, std::int64_t length) {
  check_usable();
  check(sequence, "sequence", 0);
  Sequence& s = sequences_[sequence];
  const std::int64_t now = s.length;
  if (length < 0 || length > now)
    throw InvalidArgument("length is " + std::to_string(length) + ", expected 0 to " +
                          std::to_string(now) + ", the length of sequence " +
                          std::to_string(sequence));
  if (length == now) return;
  if (!slots_.keeps_past && length > 0) {
    if (!pool_.valid(s.past[length - 1]))
      throw InvalidArgument("sequence " + std::to_string(sequence) + " of an RNN has length " +
                            std::to_string(now) + " and cannot go back to " +
                            std::to_string(length) + ": no fork stands there");
    pool_.retain(s.past[length - 1]);
  }
  release_past(s, length);
}

std::int64_t State::length(std::int32_t sequence) const {
  check(sequence, "sequence", 0);
  return sequences_[sequence].length;
}

std::int64_t State::live() const {
  return static_cast<std::int64_t>(sequences_.size() - free_.size());
}

SlotHandle State::append(Sequence& sequence) {
  std::vector<SlotHandle>& past = sequence.past;
  const std::int64_t filled = sequence.length++ % slots_.tokens;  // of the last slot; 0: all of it
  if (filled == 0) {
    const SlotHandle slot = pool_.allocate();
    if (!slots_.keeps_past && !past.empty()) pool_.release(past.back());
    past.push_back(slot);
  } else if (pool_.shared(past.back())) {
    const SlotHandle slot = pool_.allocate();
    copy_tokens(pool_.slot(past.back()), filled, pool_.slot(slot));
    pool_.release(past.back());
    past.back() = slot;
  }
  return past.back();
}

std::int32_t State::new_sequence(std::shared_ptr<const EncodedSource> source) {
  if (free_.empty()) {
    sequences_.emplace_back();
    free_.push_back(static_cast<std::int32_t>(sequences_.size() - 1));
  }
  const std::int32_t id = free_.back();
  free_.pop_back();
  sequences_[id].live = true;
  sequences_[id].source = std::move(source);
  return id;
}

std::int32_t State::fork_one(std::int32_t sequence) {
  const std::int32_t child = new_sequence(sequences_[sequence].source);
  Sequence& s = sequences_[child];
  s.length = sequences_[sequence].length;
  s.past = sequences_[sequence].past;
  const std::size_t first = slots_.keeps_past || s.past.empty() ? 0 : s.past.size() - 1;
  for (std::size_t i = first; i < s.past.size(); ++i) pool_.retain(s.past[i]);
  return child;
}

void State::drop_one(std::int32_t sequence) {
  Sequence& s = sequences_[sequence];
  release_past(s, 0);
  s.source.reset();
  s.live = false;
  free_.push_back(sequence);
}

void State::release_past(Sequence& sequence, std::int64_t length) {
  std::vector<SlotHandle>& past = sequence.past;
  const std::size_t kept = ceil_divide(length, slots_.tokens);
  const std::size_t first = slots_.keeps_past || past.empty() ? kept : past.size() - 1;
  for (std::size_t i = first; i < past.size(); ++i) pool_.release(past[i]);
  past.resize(kept);
  sequence.length = length;
}

void State::check(std::int32_t sequence, const char* name, std::size_t i) const {
  if (sequence < 0 || std::size_t(sequence) >= sequences_.size() || !sequences_[sequence].live)
    throw InvalidArgument(std::string(name) + "[" + std::to_string(i) + "] is " +
                          std::to_string(sequence) + ", which is no live sequence of this state");
}

void State::check_distinct(const std::vector<std::int32_t>& sequences) const {
  std::vector<bool> seen(sequences_.size(), false);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    check(sequences[i], "sequences", i);
    if (seen[sequences[i]])
      throw InvalidArgument("sequences[" + std::to_string(i) + "] is " +
                            std::to_string(sequences[i]) + ", which stands there twice");
    seen[sequences[i]] = true;
  }
}

}  // namespace attnengine
