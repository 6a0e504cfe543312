#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace attnengine {

struct SearchOptions;

// A sentence that joins a search.
struct NewSentence {
  std::int64_t number;                           // the caller's name of it
  std::shared_ptr<const SearchOptions> options;  // may be shared with other sentences
  std::vector<std::int32_t> past;    // prompt, or decoder start and prefix; the last is shown first
  std::vector<std::int32_t> source;  // tokens of the source, empty without one
  std::int64_t max_new_tokens;       // the end token included
};

}  // namespace attnengine
