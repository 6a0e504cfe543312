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

constexpr const char* kAdvance = R"(One step, given float32 logits (rows, vocab_size).

Rules edit the logits in place, or in a copy of an array that is not writable; on return the logits
are what they were. Raises InvalidArgument, and changes nothing, for a wrong shape or type and when
the search is done.
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
  // written to only where edits_logits says so
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
  py::class_<Hypothesis>(m, "SearchHypothesis", "One finished hypothesis of a search.")
      .def_readonly("tokens", &Hypothesis::tokens, "Generated tokens, without the end token.")
      .def_readonly("score", &Hypothesis::score, "log_prob / length ** length_penalty.")
      .def_readonly("log_prob", &Hypothesis::log_prob, "Sum of token_log_probs.")
      .def_readonly("token_log_probs", &Hypothesis::token_log_probs,
                    "One for each token, and the end token's when finish_reason is \"stop\".")
      .def_readonly("rows", &Hypothesis::rows,
                    "For each of token_log_probs: which row of the sentence in that step "
                    "predicted the token.")
      .def_property_readonly(
          "finish_reason", [](const Hypothesis& h) { return h.stopped ? "stop" : "length"; },
          "\"stop\": an end token came; \"length\": max_new_tokens did.")
      .def("__repr__", [](const Hypothesis& h) {
        return py::str("SearchHypothesis(tokens={}, score={:.4f}, finish_reason={!r})")
            .format(h.tokens, h.score, h.stopped ? "stop" : "length");
      });
}

// What one sentence has found.
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
           "The best num_hypotheses that have ended, best first.")
      .def("tree", sentence_tree, "sentence"_a,
           R"(Every hypothesis ever kept: (tokens, parents, log_probs, ended).

All (nodes,): int32, int32 with -1 for the root (the start token), float64 sums from the root, bool.
)")
      .def("finished", finished, "sentence"_a,
           "Whether the sentence has no live hypotheses any more.")
      .def("stable", stable, "sentence"_a,
           R"(The tokens that everything which may still be returned begins with.

They never change, only grow; of a finished sentence they are those of the best hypothesis.
)");
}

// What a caller asks about the rows that come next.
void bind_rows(py::class_<Search, std::shared_ptr<Search>>& search) {
  search
      .def_property_readonly(
          "tokens", [](const Search& s) { return array(s.tokens()); },
          "int32 (rows,): the token each row shows the model next.")
      .def_property_readonly(
          "parents", [](const Search& s) { return array(s.parents()); },
          "int32 (rows,): the row of the step before that each row continues; "
          "of the i-th new sentence that is i behind the rows that there were.")
      .def_property_readonly(
          "sentences", [](const Search& s) { return array(s.sentences()); },
          "int32 (rows,): the number of each row's sentence.")
      .def_property_readonly(
          "lengths", [](const Search& s) { return array(s.lengths()); },
          "int32 (rows,): how many tokens each row's hypothesis has generated.");
}

void bind_new_sentence(py::module_& m) {
  const auto make = [](std::int64_t number, std::shared_ptr<SearchOptions> options,
                       std::vector<std::int32_t> past, std::int64_t max_new_tokens,
                       std::vector<std::int32_t> source) {
    return NewSentence{number, std::move(options), std::move(past), std::move(source),
                       max_new_tokens};
  };
  py::class_<NewSentence>(m, "NewSentence", R"(A sentence that joins a ``Search``.

number: the caller's name of it, which no other sentence of the search has.
options: BeamSearchOptions or SamplingOptions; sentences may share them.
past: the tokens so far (prompt, or decoder start and prefix); the last one is shown first.
max_new_tokens: generated tokens at most, the end token included; 0: it has ended and has no row.
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

A step has one row for each live hypothesis of each unfinished sentence, in the order in which they
were added. What a sentence finds does not depend on the others, nor on num_threads.
vocab_size None: that of the first logits. A sentence fails when its logits hold NaN or +inf, or when
all its tokens are forbidden before anything has ended. fail_apart: such a sentence ends and stands
in ``failed``, the others go on; otherwise ``advance`` raises and changes nothing.
)");
  search
      .def(py::init([](std::optional<std::int64_t> vocab_size, int num_threads, bool fail_apart) {
             using Failures = Search::Failures;
             return std::make_shared<Search>(vocab_size, num_threads,
                                             fail_apart ? Failures::kApart : Failures::kThrow);
           }),
           "vocab_size"_a = py::none(), "num_threads"_a = 1, py::kw_only(), "fail_apart"_a = false)
      .def("add", &Search::add, "sentences"_a,
           R"(Adds sentences, which take part from the next step on, behind the rows that there are.

Raises InvalidArgument, and adds none, for numbers that are taken or negative, for tokens out of
the vocabulary and for negative max_new_tokens.
)")
      .def("drop", &Search::drop, "sentence"_a,
           "Forgets a sentence that has ended or failed, and what it has found.")
      .def_property_readonly("done", &Search::done, "Whether every sentence has ended or failed.")
      .def_property_readonly("ended", &Search::ended,
                             "The sentences that have ended and are not dropped, in order.")
      .def_property_readonly(
          "failed", &Search::failed,
          "The sentences that have failed and are not dropped, in order: (number, reason).")
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
