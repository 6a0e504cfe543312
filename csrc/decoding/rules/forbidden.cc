#include <algorithm>
#include <limits>
#include <string>

#include "decoding/rules/rules.h"
#include "decoding/search_options.h"

namespace attnengine {
namespace {

// A set of tokens; copies share the memory.
class TokenSet {
 public:
  TokenSet(const char* name, const Tokens& tokens) : name_(name) {
    constexpr std::int64_t kHighest = std::numeric_limits<std::int32_t>::max();
    for (std::size_t i = 0; i < tokens.size(); ++i)
      if (tokens[i] < 0 || tokens[i] > kHighest)
        expect_count((name + ("[" + std::to_string(i) + "]")).c_str(), tokens[i], 0);
    std::vector<std::int32_t> sorted(tokens.begin(), tokens.end());
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    tokens_ = std::make_shared<const std::vector<std::int32_t>>(std::move(sorted));
  }

  bool has(std::int32_t token) const {
    return std::binary_search(tokens_->begin(), tokens_->end(), token);
  }
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_->size()); }
  void forbid(LogitsRow& row) const {
    for (const std::int32_t token : *tokens_) row.forbid(token);
  }
  void check(std::int64_t vocab_size) const {
    if (tokens_->empty()) return;
    expect_token(std::string("a token of ") + name_, tokens_->back(), vocab_size);
  }

 private:
  const char* name_;                                         // a string literal
  std::shared_ptr<const std::vector<std::int32_t>> tokens_;  // ascending, without duplicates
};

class EndTokens : public Rule {
 public:
  explicit EndTokens(const Tokens& tokens) : tokens_("end_tokens", tokens) {}

  bool ends(std::int32_t token) const override { return tokens_.has(token); }
  std::int64_t num_ends() const override { return tokens_.size(); }
  void check(std::int64_t vocab_size) const override { tokens_.check(vocab_size); }

 private:
  TokenSet tokens_;
};

// Forbids tokens until the hypothesis has `count` new tokens.
class ForbidBefore : public Rule {
 public:
  ForbidBefore(const char* name, std::int64_t count, const Tokens& tokens)
      : missing_(count), tokens_(name, tokens) {}

  // Once the tokens are allowed the state never changes, and forks share the rule.
  std::shared_ptr<Rule> fork() override {
    return missing_ > 0 ? std::make_shared<ForbidBefore>(*this) : shared_from_this();
  }
  void take(std::int32_t) override {
    if (missing_ > 0) --missing_;
  }
  bool edits() const override { return missing_ > 0 && tokens_.size() > 0; }
  void edit(LogitsRow& row) const override { tokens_.forbid(row); }
  std::int64_t work(std::int64_t) const override { return tokens_.size(); }
  void check(std::int64_t vocab_size) const override { tokens_.check(vocab_size); }

 private:
  std::int64_t missing_;  // new tokens until the tokens are allowed
  TokenSet tokens_;
};

class Suppress : public Rule {
 public:
  explicit Suppress(const Tokens& tokens) : tokens_("suppress", tokens) {}

  bool edits() const override { return tokens_.size() > 0; }
  void edit(LogitsRow& row) const override { tokens_.forbid(row); }
  std::int64_t work(std::int64_t) const override { return tokens_.size(); }
  void check(std::int64_t vocab_size) const override { tokens_.check(vocab_size); }

 private:
  TokenSet tokens_;
};

}  // namespace

std::shared_ptr<Rule> end_tokens(const Tokens& tokens) {
  return std::make_shared<EndTokens>(tokens);
}

std::shared_ptr<Rule> min_new_tokens(std::int64_t count, const Tokens& end_tokens) {
  expect_count("min_new_tokens", count, 0);
  return std::make_shared<ForbidBefore>("end_tokens", count, end_tokens);
}

std::shared_ptr<Rule> suppress(const Tokens& tokens) { return std::make_shared<Suppress>(tokens); }

std::shared_ptr<Rule> suppress_first(const Tokens& tokens) {
  return std::make_shared<ForbidBefore>("suppress_first", 1, tokens);
}

}  // namespace attnengine
