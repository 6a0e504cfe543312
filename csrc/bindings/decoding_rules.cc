#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <pybind11/pybind11.h>

#include "bindings/bind.h"
#include "bindings/option_values.h"
#include "core/errors.h"
#include "decoding/rules/rules.h"

namespace py = pybind11;

namespace attnengine {
namespace {

// Makes a rule from the value of an option and the end tokens.
using Maker = std::function<std::shared_ptr<Rule>(py::handle, const Tokens&)>;

const std::map<std::string, Maker>& makers() {
  static const std::map<std::string, Maker> makers = {
      {"end_tokens",
       [](py::handle value, const Tokens&) {
         return end_tokens(option_value<Tokens>("end_tokens", value));
       }},
      {"min_new_tokens",
       [](py::handle value, const Tokens& ends) {
         return min_new_tokens(option_value<std::int64_t>("min_new_tokens", value), ends);
       }},
      {"suppress", [](py::handle value,
                      const Tokens&) { return suppress(option_value<Tokens>("suppress", value)); }},
      {"suppress_first",
       [](py::handle value, const Tokens&) {
         return suppress_first(option_value<Tokens>("suppress_first", value));
       }},
  };
  return makers;
}

std::shared_ptr<Rule> make_rule(const std::string& name, py::handle value, const Tokens& ends) {
  const auto maker = makers().find(name);
  if (maker == makers().end())
    throw InvalidArgument("name is \"" + name + "\", expected one of rule_names()");
  return maker->second(value, ends);
}

}  // namespace

void bind_decoding_rules(py::module_& m) {
  py::class_<Rule, std::shared_ptr<Rule>>(
      m, "Rule",
      "The prototype of a constraint on the continuations of a hypothesis, for the option rules.");
  m.def("make_rule", &make_rule, py::arg("name"), py::arg("value"),
        py::arg("end_tokens").noconvert(),
        R"(Make the rule of an option, given its name, its value and the end tokens of the sentence.

Raises InvalidArgument for an unknown name and for a value out of range, TypeError for a value of
another type.
)");
  m.def(
      "rule_names",
      [] {
        py::list names;
        for (const auto& maker : makers()) names.append(maker.first);
        return names;
      },
      "The names that make_rule accepts.");
}

}  // namespace attnengine
