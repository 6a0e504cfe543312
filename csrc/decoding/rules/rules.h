#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "decoding/rules/rule.h"

namespace attnengine {

using Tokens = std::vector<std::int64_t>;

// The rules of options. Each function throws InvalidArgument for a token below 0 or above
// INT32_MAX; the message names it as option[i].

// These tokens end a hypothesis.
std::shared_ptr<Rule> end_tokens(const Tokens& tokens);
// Forbids the end tokens until a hypothesis has `count` new tokens.
std::shared_ptr<Rule> min_new_tokens(std::int64_t count, const Tokens& end_tokens);
// Forbids these tokens at every step.
std::shared_ptr<Rule> suppress(const Tokens& tokens);
// Forbids these tokens as the first new token.
std::shared_ptr<Rule> suppress_first(const Tokens& tokens);

}  // namespace attnengine
