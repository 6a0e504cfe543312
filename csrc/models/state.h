#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "layers/attention_record.h"
#include "models/encoded.h"
#include "models/slot_pool.h"

namespace attnengine {

// What a decoder carries for its sequences between steps, in slots of one token or of several, a
// page. A fork shares its parent's slots: a page that is not full is copied by the first of them
// that goes on. A Transformer attends to all slots of a sequence; an RNN needs the last, and `past`
// then merely remembers the others: they are valid while another sequence still stands there.
//
// A state belongs to one thread at a time. While a step holds it (InStep), and for good after a
// step failed half-way, everything else throws Error.
class State {
 public:
  virtual ~State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // What is kept of a token's past: an RNN's last slot alone, or every slot.
  struct Slots {
    bool keeps_past;
    std::int64_t size;  // bytes
    std::int64_t tokens = 1;
  };

  // Held around a step and the reading of its results.
  class InStep {
   public:
    explicit InStep(State& state);
    ~InStep() { state_.in_step_ = false; }
    InStep(const InStep&) = delete;
    InStep& operator=(const InStep&) = delete;

   private:
    State& state_;
  };

  // Throws Error when a step holds the state or has left it half-changed.
  void check_usable() const;

  // New sequences without tokens: one for each sentence, or `count` without a source. Throws
  // InvalidArgument when the model wants the other, or has encoded for another decoder.
  std::vector<std::int32_t> add(const Encoded& encoded);
  std::vector<std::int32_t> add(std::int64_t count);

  // Children that share the past of `sequences`.
  std::vector<std::int32_t> fork(const std::vector<std::int32_t>& sequences);
  void drop(const std::vector<std::int32_t>& sequences);

  // out[i] is a child of sequences[parents[i]]; of `sequences` none is left.
  std::vector<std::int32_t> reorder(const std::vector<std::int32_t>& sequences,
                                    const std::vector<std::int32_t>& parents);

  // Forgets the tokens from `length` on. An RNN can go back to its start, or to a point where a
  // fork still stands; otherwise InvalidArgument.
  void truncate(std::int32_t sequence, std::int64_t length);

  std::int64_t length(std::int32_t sequence) const;
  std::int64_t live() const;  // sequences
  // Bytes that each token of a sequence adds; 0 for an RNN, which keeps the last token's alone.
  std::int64_t bytes_per_token() const {
    return slots_.keeps_past ? slots_.size / slots_.tokens : 0;
  }

  bool keep_alignment = false;
  KeptMatrix logits;     // (wanted rows, vocab_size) of the last step
  KeptMatrix attention;  // (rows, longest source) when kept; zero beyond a row's source

  bool keep_all_attentions = false;  // of every layer and head; Transformers do
  AttentionRecord self_attentions;   // of the last step, its rows and their longest past
  AttentionRecord cross_attentions;  // its rows and their longest source

 protected:
  struct Sequence {
    bool live = false;
    std::shared_ptr<const EncodedSource> source;  // null for a language model
    std::int64_t length = 0;                      // tokens
    std::vector<SlotHandle> past;                 // one for each `Slots::tokens`
  };

  State(std::int64_t decoder, bool with_source, Slots slots);

  // Makes room for the next token of the sequence, in its last slot. An RNN's slot of the token
  // before is released: the next append of any sequence may take it.
  SlotHandle append(Sequence& sequence);

  // The first `tokens` of a slot, for slots of several.
  virtual void copy_tokens(const std::byte* /*from*/, std::int64_t /*tokens*/,
                           std::byte* /*to*/) const {}

  std::int64_t decoder_;  // the Decoder::id() of the one that made this state
  bool with_source_;
  Slots slots_;
  SlotPool pool_;
  std::vector<Sequence> sequences_;
  std::vector<std::int32_t> free_;

 private:
  friend class Decoder;

  std::atomic<bool> in_step_{false};
  bool half_changed_ = false;

  std::int32_t new_sequence(std::shared_ptr<const EncodedSource> source);
  std::int32_t fork_one(std::int32_t sequence);
  void drop_one(std::int32_t sequence);
  void release_past(Sequence& sequence, std::int64_t length);
  void check(std::int32_t sequence, const char* name, std::size_t i) const;
  void check_distinct(const std::vector<std::int32_t>& sequences) const;
};

}  // namespace attnengine
