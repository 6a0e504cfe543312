#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace attnengine {

struct SearchOptions;

// A sentence that joins a search.
struct NewSentence {
  std::int64_t number = 0;                       // identifies the sentence to the caller
  std::shared_ptr<const SearchOptions> options;  // sentences may share options
  // The prompt, or the decoder start token and prefix; the first step feeds the last token.
  std::vector<std::int32_t> past;
  std::vector<std::int32_t> source;  // tokens of the source; empty for a language model
  std::int64_t max_new_tokens = 0;   // end token included
};

}  // namespace attnengine
