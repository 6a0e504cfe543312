#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "decoding/rules/rule.h"

namespace attnengine {

using Tokens = std::vector<std::int64_t>;

// What options make. All throw InvalidArgument for a token below 0 or above
// INT32_MAX, which they call `name`[i].

// These tokens complete a hypothesis.
std::shared_ptr<Rule> end_tokens(const Tokens& tokens);
// The end tokens are forbidden before `count` new tokens.
std::shared_ptr<Rule> min_new_tokens(std::int64_t count, const Tokens& end_tokens);
// These tokens are never chosen.
std::shared_ptr<Rule> suppress(const Tokens& tokens);
// These tokens are never the first new token.
std::shared_ptr<Rule> suppress_first(const Tokens& tokens);

}  // namespace attnengine
