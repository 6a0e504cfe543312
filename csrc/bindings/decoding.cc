#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bind.h"
#include "decoding/beam_search.h"
#include "decoding/sampling.h"
#include "decoding/search.h"

namespace attnengine {
namespace {

using Longs = std::vector<std::int64_t>;

constexpr const char* kAdvance = R"(One step, given float32 logits (rows, vocab_size).

While min_new_tokens is in force end tokens are set to -inf in place, or in a copy of an array that
is not writable; on return the logits are what they were. Raises InvalidArgument, and changes
nothing, for a wrong shape or type, for NaN or +inf, when every token of a sentence is forbidden
before anything has ended, and when the search is done.
)";

// ae.BeamSearch: a Search of one sentence, whose vocabulary the first logits tell.
struct BeamSearch {
  Search search;
};

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
  if (!(logits.flags() & kAligned) || (search.edits_logits() && !logits.writeable()))
    logits = logits.attr("copy")();
  // written to only where edits_logits says so
  const Matrix rows{const_cast<float*>(static_cast<const float*>(logits.data())), logits.shape(0),
                    logits.shape(1)};
  py::gil_scoped_release unlocked;
  search.advance(rows);
}

Search search(std::shared_ptr<SearchOptions> options, const Longs& start_tokens,
              const Longs& max_new_tokens, std::optional<std::int64_t> vocab_size,
              int num_threads) {
  Search search(std::move(options), vocab_size, num_threads);
  Longs numbers(start_tokens.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  search.add(numbers, start_tokens, max_new_tokens);
  return search;
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
    ended.mutable_at(i) = hypotheses.is_end(i);
  }
  return py::make_tuple(tokens, parents, log_probs, ended);
}

std::unique_ptr<BeamSearch> beam_search(std::int64_t beam_size, std::int64_t start_token,
                                        const Longs& end_tokens, std::int64_t max_new_tokens,
                                        std::optional<std::int64_t> num_hypotheses,
                                        std::optional<std::int64_t> num_candidates,
                                        double length_penalty, const std::string& stopping,
                                        std::int64_t min_new_tokens) {
  if (stopping != "candidates" && stopping != "optimal")
    throw InvalidArgument("stopping is \"" + stopping +
                          "\", expected \"candidates\" or \"optimal\"");
  const std::int64_t candidates = num_candidates.value_or(beam_size);
  const auto options = std::make_shared<BeamSearchOptions>(
      beam_size, num_hypotheses.value_or(std::min(beam_size, candidates)), candidates,
      length_penalty, stopping == "optimal", end_tokens, min_new_tokens);
  return std::unique_ptr<BeamSearch>(
      new BeamSearch{search(options, {start_token}, {max_new_tokens}, std::nullopt, 1)});
}

void bind_options(py::module_& m) {
  py::class_<SearchOptions, std::shared_ptr<SearchOptions>>(m, "SearchOptions",
                                                            "Base of the options of a search.");
  py::class_<BeamSearchOptions, SearchOptions, std::shared_ptr<BeamSearchOptions>>(
      m, "BeamSearchOptions", R"(Beam search, for ``Search``.

All continuations of a sentence are ranked by their summed log-probability; of equal ones the
lower row, then the lower token is first. End tokens among the first beam_size become candidates,
later ones are ignored; the best beam_size other tokens live on. The score is
log_prob / length ** length_penalty, where length counts generated tokens including the end token.
optimal=False stops after the step in which num_candidates have ended; optimal=True once no live
hypothesis can beat the best num_hypotheses of them: a log-probability only falls, so that the best
live one divided by the most favourable length bounds all that may come.

Raises InvalidArgument, naming the option, for values out of range and for num_hypotheses above
num_candidates.
)")
      .def(py::init<std::int64_t, std::int64_t, std::int64_t, double, bool, const Longs&,
                    std::int64_t>(),
           py::kw_only(), "beam_size"_a, "num_hypotheses"_a, "num_candidates"_a, "length_penalty"_a,
           "optimal"_a, py::arg("end_tokens").noconvert(), "min_new_tokens"_a);
  py::class_<SamplingOptions, SearchOptions, std::shared_ptr<SamplingOptions>>(
      m, "SamplingOptions", R"(Sampling, for ``Search``: num_hypotheses independent draws.

Each token is drawn from softmax(logits / temperature) over the top_k best tokens (0: all; of equal
ones the lower). Hypothesis i draws from a generator seeded by (seed, i) alone; with seed None every
sentence takes a fresh seed. log_prob is the model's own, of temperature 1 and all tokens; the score
is log_prob / length. Equal draws are kept.

Raises InvalidArgument, naming the option, for values out of range.
)")
      .def(py::init<double, std::int64_t, std::optional<std::uint64_t>, std::int64_t, const Longs&,
                    std::int64_t>(),
           py::kw_only(), "temperature"_a, "top_k"_a, "seed"_a, "num_hypotheses"_a,
           py::arg("end_tokens").noconvert(), "min_new_tokens"_a);
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

void bind_search(py::module_& m) {
  py::class_<Search, std::shared_ptr<Search>> search(m, "Search",
                                                     R"(Search of many sentences together.

options: BeamSearchOptions or SamplingOptions; start_tokens, max_new_tokens: integers (sentences,)
of sentences 0, 1, 2, ...

A step has one row for each live hypothesis of each unfinished sentence, in the order of the
sentences. What a sentence finds does not depend on the others, nor on num_threads. Others may be
added while the search runs, and those that are finished dropped.
A sentence whose max_new_tokens is 0 is finished from the start and has no row.
Raises InvalidArgument for tokens out of the vocabulary and for negative max_new_tokens.
)");
  search
      .def(py::init(&attnengine::search), py::arg("options").none(false),
           py::arg("start_tokens").noconvert(), py::arg("max_new_tokens").noconvert(),
           "vocab_size"_a, "num_threads"_a = 1)
      .def("add", &Search::add, py::arg("sentences").noconvert(),
           py::arg("start_tokens").noconvert(), py::arg("max_new_tokens").noconvert(),
           R"(Adds sentences, which take part from the next step on, behind the rows that there are.

sentences: their numbers, which no other sentence of the search has; all are integers (sentences,).
Raises InvalidArgument, and adds none, for numbers that are taken or negative, and as the search does.
)")
      .def("drop", &Search::drop, "sentence"_a,
           "Forgets a finished sentence and what it has found.")
      .def_property_readonly("done", &Search::done, "Whether every sentence is finished.")
      .def_property_readonly("ended", &Search::ended,
                             "The sentences that are finished and not dropped, in order.")
      .def("advance", &advance, "logits"_a, kAdvance);
  bind_rows(search);
  bind_sentence(search);
}

void bind_beam_search(py::module_& m) {
  py::class_<BeamSearch, std::shared_ptr<BeamSearch>>(
      m, "BeamSearch", R"(Beam search of one sentence, over logits from any source.

    search = BeamSearch(beam_size=5, start_token=1, end_tokens=[2], max_new_tokens=40)
    while not search.done:             # at first: tokens == [1], parents == [0]
        logits = my_model(search.tokens, search.parents)   # float32 (live hypotheses, vocab_size)
        search.advance(logits)
    search.hypotheses                  # best first

num_hypotheses None: beam_size, but at most num_candidates; num_candidates None: beam_size.
stopping: "candidates" (after the step in which num_candidates have ended) or "optimal" (when no
live hypothesis can beat the best num_hypotheses). See BeamSearchOptions. The vocabulary is that of
the first logits. Raises InvalidArgument for options out of range.
)")
      .def(py::init(&beam_search), py::kw_only(), "beam_size"_a = 5, "start_token"_a,
           py::arg("end_tokens").noconvert(), "max_new_tokens"_a, "num_hypotheses"_a = py::none(),
           "num_candidates"_a = py::none(), "length_penalty"_a = 1.0, "stopping"_a = "candidates",
           "min_new_tokens"_a = 0)
      .def_property_readonly(
          "tokens", [](const BeamSearch& s) { return array(s.search.tokens()); },
          "int32 (live,): the last token of each live hypothesis.")
      .def_property_readonly(
          "parents", [](const BeamSearch& s) { return array(s.search.parents()); },
          "int32 (live,): which hypothesis of the step before it continues.")
      .def_property_readonly(
          "done", [](const BeamSearch& s) { return s.search.done(); },
          "Whether the search has stopped.")
      .def(
          "advance", [](BeamSearch& s, py::array logits) { advance(s.search, std::move(logits)); },
          "logits"_a, "One step, given float32 logits (live, vocab_size); see Search.advance.")
      .def_property_readonly(
          "hypotheses", [](const BeamSearch& s) { return s.search.hypotheses(0).results(); },
          "The best num_hypotheses that have ended, best first.")
      .def_property_readonly(
          "tree", [](const BeamSearch& s) { return tree(s.search.hypotheses(0)); },
          "Every hypothesis ever kept; see Search.tree.");
}

}  // namespace

void bind_decoding(py::module_& m) {
  bind_options(m);
  bind_hypothesis(m);
  bind_search(m);
  bind_beam_search(m);
}

}  // namespace attnengine
