#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "decoding/search.h"

namespace attnengine {
namespace {

constexpr const char* kAdvance = R"(Take one step, given float32 logits (rows, vocab_size).

Rules edit the logits in place and restore them before return; a read-only array is copied first.
Raises InvalidArgument, and changes nothing, for a wrong shape or type and when the search is done.
)";

template <class T>
Array<T> array(const std::vector<T>& values) {
  return Array<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

void check_logits(const py::array& logits) {
  expect_dimensions(logits, 2, "logits");
  if (!py::isinstance<py::array_t<float>>(logits))
    throw InvalidArgument("logits.dtype is " + py::str(logits.dtype()).cast<std::string>() +
                          ", expected float32");
  if (!(logits.flags() & py::array::c_style))
    throw InvalidArgument("logits are not C-contiguous, expected rows of adjacent numbers");
}

void advance(Search& search, py::array logits) {
  check_logits(logits);
  constexpr int kAligned = py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  if (!(logits.flags() & kAligned) || (!logits.writeable() && search.edits_logits()))
    logits = logits.attr("copy")();
  // Search writes to the logits only if edits_logits() is true, and then they are writable.
  const Matrix rows{const_cast<float*>(static_cast<const float*>(logits.data())), logits.shape(0),
                    logits.shape(1)};
  py::gil_scoped_release unlocked;
  search.advance(rows);
}

py::tuple tree(const Hypotheses& hypotheses) {
  const auto size = static_cast<py::ssize_t>(hypotheses.nodes().size());
  IntArray tokens(size), parents(size);
  Array<double> log_probs(size);
  Array<bool> ended(size);
  for (std::int32_t i = 0; i < size; ++i) {
    const Node& node = hypotheses.nodes()[i];
    tokens.mutable_at(i) = node.token;
    parents.mutable_at(i) = node.parent;
    log_probs.mutable_at(i) = node.log_prob;
    ended.mutable_at(i) = node.ends;
  }
  return py::make_tuple(tokens, parents, log_probs, ended);
}

void bind_hypothesis(py::module_& m) {
  py::class_<Hypothesis>(m, "SearchHypothesis", "One ended hypothesis of a search.")
      .def_readonly("tokens", &Hypothesis::tokens, "Generated tokens, without the end token.")
      .def_readonly("score", &Hypothesis::score, "log_prob / length ** length_penalty.")
      .def_readonly("log_prob", &Hypothesis::log_prob, "Sum of token_log_probs.")
      .def_readonly("token_log_probs", &Hypothesis::token_log_probs,
                    "One per token; the end token's is last if finish_reason is \"stop\".")
      .def_readonly("rows", &Hypothesis::rows,
                    "For each of token_log_probs: the row that gave the token, counted within "
                    "the sentence's rows of the step.")
      .def_property_readonly(
          "finish_reason", [](const Hypothesis& h) { return h.stopped ? "stop" : "length"; },
          "\"stop\": an end token; \"length\": max_new_tokens was reached.")
      .def("__repr__", [](const Hypothesis& h) {
        return py::str("SearchHypothesis(tokens={}, score={:.4f}, finish_reason={!r})")
            .format(h.tokens, h.score, h.stopped ? "stop" : "length");
      });
}

// The results of one sentence.
void bind_sentence(py::class_<Search, std::shared_ptr<Search>>& search) {
  const auto results = [](const Search& s, std::int64_t sentence) {
    return s.hypotheses(sentence).results();
  };
  const auto sentence_tree = [](const Search& s, std::int64_t sentence) {
    return tree(s.hypotheses(sentence));
  };
  const auto finished = [](const Search& s, std::int64_t sentence) {
    return s.hypotheses(sentence).finished();
  };
  const auto stable = [](const Search& s, std::int64_t sentence) {
    return s.hypotheses(sentence).stable();
  };
  search
      .def("hypotheses", results, "sentence"_a,
           "The best num_hypotheses ended hypotheses, best first.")
      .def("tree", sentence_tree, "sentence"_a,
           R"(Every hypothesis that was kept: (tokens, parents, log_probs, ended), each (nodes,).

tokens int32; parents int32, -1 for the root (the start token); log_probs float64, summed from the
root; ended bool.
)")
      .def("finished", finished, "sentence"_a, "Whether the sentence has no live hypotheses.")
      .def("stable", stable, "sentence"_a,
           R"(The tokens that every possible result begins with.

Later steps only append to them. For a finished sentence they are all tokens of the best hypothesis.
)");
}

// The rows of the next step.
void bind_rows(py::class_<Search, std::shared_ptr<Search>>& search) {
  search
      .def_property_readonly(
          "tokens", [](const Search& s) { return array(s.tokens()); },
          "int32 (rows,): the token of each row that the model reads next.")
      .def_property_readonly(
          "parents", [](const Search& s) { return array(s.parents()); },
          "int32 (rows,): the row of the previous step that each row continues; new sentences "
          "count on from the last of these rows.")
      .def_property_readonly(
          "sentences", [](const Search& s) { return array(s.sentences()); },
          "int32 (rows,): the number of each row's sentence.")
      .def_property_readonly(
          "lengths", [](const Search& s) { return array(s.lengths()); },
          "int32 (rows,): the number of tokens that each row's hypothesis has generated.");
}

void bind_new_sentence(py::module_& m) {
  const auto make = [](std::int64_t number, std::shared_ptr<SearchOptions> options,
                       std::vector<std::int32_t> past, std::int64_t max_new_tokens,
                       std::vector<std::int32_t> source) {
    return NewSentence{number, std::move(options), std::move(past), std::move(source),
                       max_new_tokens};
  };
  py::class_<NewSentence>(m, "NewSentence", R"(A sentence that joins a ``Search``.

number: identifies the sentence; no other sentence of the search has this number.
options: BeamSearchOptions or SamplingOptions; sentences may share them.
past: the prompt, or the decoder start token and prefix; the first step feeds the last token.
max_new_tokens: maximum of generated tokens, end token included; 0: it has ended and has no row.
source: the tokens of the source, for rules.
)")
      .def(py::init(make), py::kw_only(), py::arg("number").noconvert(),
           py::arg("options").none(false), py::arg("past").noconvert(),
           py::arg("max_new_tokens").noconvert(), py::arg("source").noconvert() = py::list())
      .def_readonly("number", &NewSentence::number);
}

void bind_search(py::module_& m) {
  py::class_<Search, std::shared_ptr<Search>> search(m, "Search",
                                                     R"(Search of many sentences together.

A step has one row for each live hypothesis, with the sentences in the order added. The result of a
sentence depends neither on other sentences nor on num_threads. vocab_size None: the first logits
set it.

A sentence fails if its logits hold NaN or +inf, or if all its tokens are forbidden before any
hypothesis has ended. With fail_apart it ends, ``failed`` reports it and the others continue.
Without fail_apart ``advance`` raises InvalidArgument and changes nothing.
)");
  search
      .def(py::init([](std::optional<std::int64_t> vocab_size, int num_threads, bool fail_apart) {
             using Failures = Search::Failures;
             return std::make_shared<Search>(vocab_size, num_threads,
                                             fail_apart ? Failures::kApart : Failures::kThrow);
           }),
           "vocab_size"_a = py::none(), "num_threads"_a = 1, py::kw_only(), "fail_apart"_a = false)
      .def("add", &Search::add, "sentences"_a,
           R"(Add sentences to the next step; their rows follow the existing rows.

Raises InvalidArgument, and adds none, for a number that is negative or taken, for a token outside
the vocabulary, for an empty past, and for a negative max_new_tokens.
)")
      .def("drop", &Search::drop, "sentence"_a,
           R"(Discard a sentence and its results.

Raises InvalidArgument unless the sentence has ended or failed.
)")
      .def_property_readonly("done", &Search::done, "Whether every sentence has ended or failed.")
      .def_property_readonly("ended", &Search::ended,
                             "The numbers of ended sentences that are not dropped, in order.")
      .def_property_readonly(
          "failed", &Search::failed,
          "The (number, reason) of failed sentences that are not dropped, in order.")
      .def("advance", &advance, "logits"_a, kAdvance);
  bind_rows(search);
  bind_sentence(search);
}

}  // namespace

void bind_decoding(py::module_& m) {
  bind_decoding_rules(m);
  bind_decoding_options(m);
  bind_hypothesis(m);
  bind_new_sentence(m);
  bind_search(m);
}

}  // namespace attnengine
