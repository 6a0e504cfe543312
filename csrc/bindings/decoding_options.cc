#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <pybind11/pybind11.h>

#include "bindings/bind.h"
#include "bindings/option_values.h"
#include "core/errors.h"
#include "decoding/beam_search.h"
#include "decoding/sampling.h"

namespace py = pybind11;

namespace attnengine {
namespace {

// A member of a struct of options, with its name in Python.
template <class Options>
struct Member {
  const char* name;
  const char* help;
  std::function<void(Options&, py::handle)> set;
  std::function<py::object(const Options&)> get;
};

// `at(options)` is a reference to the member.
template <class Options, class At>
Member<Options> member(const char* name, const char* help, At at) {
  using Value = std::decay_t<decltype(at(std::declval<Options&>()))>;
  return {
      name, help,
      [=](Options& options, py::handle given) { at(options) = option_value<Value>(name, given); },
      [=](const Options& options) { return py::cast(Value(at(const_cast<Options&>(options)))); }};
}

template <class Options>
std::vector<Member<Options>> common_members() {
  return {
      member<Options>("num_hypotheses", "Maximum number of results per sentence.",
                      [](Options& o) -> auto& { return o.num_hypotheses; }),
      member<Options>("rules", "Prototypes of the rules, in the order of their edits.",
                      [](Options& o) -> auto& { return o.rules; }),
  };
}

Member<BeamSearchOptions> stopping_member() {
  using Stopping = BeamSearchOptions::Stopping;
  return {"stopping", "When the search stops: \"candidates\" or \"optimal\".",
          [](BeamSearchOptions& options, py::handle given) {
            const auto name = option_value<std::string>("stopping", given);
            if (name != "candidates" && name != "optimal")
              throw InvalidArgument("stopping is \"" + name +
                                    "\", expected \"candidates\" or \"optimal\"");
            options.stopping = name == "optimal" ? Stopping::kOptimal : Stopping::kCandidates;
          },
          [](const BeamSearchOptions& options) -> py::object {
            return py::str(options.stopping == Stopping::kOptimal ? "optimal" : "candidates");
          }};
}

std::vector<Member<BeamSearchOptions>> beam_members() {
  using Options = BeamSearchOptions;
  auto members = common_members<Options>();
  members.push_back(member<Options>("beam_size", "Maximum number of live hypotheses.",
                                    [](Options& o) -> auto& { return o.beam_size; }));
  members.push_back(member<Options>("num_candidates",
                                    "Number of ended hypotheses after which \"candidates\" stops; "
                                    "None: beam_size.",
                                    [](Options& o) -> auto& { return o.num_candidates; }));
  members.push_back(member<Options>("length_penalty", "Exponent of the length in the score.",
                                    [](Options& o) -> auto& { return o.score.length_penalty; }));
  members.push_back(stopping_member());
  return members;
}

std::vector<Member<SamplingOptions>> sampling_members() {
  using Options = SamplingOptions;
  auto members = common_members<Options>();
  members.push_back(member<Options>("temperature", "Divisor of the logits.",
                                    [](Options& o) -> auto& { return o.temperature; }));
  members.push_back(member<Options>("top_k", "Number of best tokens to draw from; 0: all tokens.",
                                    [](Options& o) -> auto& { return o.top_k; }));
  members.push_back(member<Options>("seed", "Seed of the generators; None: a new random seed.",
                                    [](Options& o) -> auto& { return o.seed; }));
  return members;
}

template <class Options>
std::shared_ptr<Options> from_keywords(const std::vector<Member<Options>>& members,
                                       const py::kwargs& given) {
  auto options = std::make_shared<Options>();
  for (const auto& [key, value] : given) {
    const std::string name = py::str(key);
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&name](const auto& one) { return one.name == name; });
    if (found == members.end()) throw py::type_error("unknown option " + name);
    found->set(*options, value);
  }
  options->validate();
  return options;
}

template <class Options>
void bind_options(py::module_& m, const char* name, const char* doc,
                  const std::vector<Member<Options>>& members) {
  py::class_<Options, SearchOptions, std::shared_ptr<Options>> bound(m, name, doc);
  bound.def(py::init([members](const py::kwargs& given) { return from_keywords(members, given); }));
  for (const auto& member : members)
    bound.def_property_readonly(member.name, member.get, member.help);
}

}  // namespace

void bind_decoding_options(py::module_& m) {
  py::class_<SearchOptions, std::shared_ptr<SearchOptions>>(m, "SearchOptions",
                                                            "Base of the options of a search.");
  bind_options(m, "BeamSearchOptions", R"(Beam search, for ``Search``.

A step ranks all continuations of a sentence by their summed log-probability. Ties go to the lower
row, then to the lower token. End tokens among the first beam_size become candidates; later end
tokens are ignored. The best beam_size other tokens live on. The score is
log_prob / length ** length_penalty; the length includes the end token.

stopping "candidates" stops after the step in which num_candidates have ended. "optimal" stops once
no live hypothesis can beat the best num_hypotheses candidates. A log-probability never rises, so
the best live log_prob at the most favourable length bounds every later score.

Raises InvalidArgument, which names the option, for a value out of range and for num_hypotheses
above num_candidates.
)",
               beam_members());
  bind_options(m, "SamplingOptions", R"(Sampling, for ``Search``: num_hypotheses independent draws.

Each token is drawn from softmax(logits / temperature) over the top_k best tokens; 0: all tokens.
Ties go to the lower token. The generator of hypothesis i depends only on (seed, i). With seed None
each sentence gets a new random seed. log_prob is at temperature 1 over all tokens; the score is
log_prob / length. Equal hypotheses are all kept.

Raises InvalidArgument, which names the option, for a value out of range.
)",
               sampling_members());
}

}  // namespace attnengine
