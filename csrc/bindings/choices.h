#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "core/errors.h"
#include "core/steps.h"

namespace attnengine {

// The value that belongs to a name; InvalidArgument says which names there are.
template <class T, std::size_t N>
T choose(const std::pair<const char*, T> (&choices)[N], const std::string& name,
         const std::string& argument) {
  std::string names;
  for (const auto& [choice, value] : choices) {
    if (name == choice) return value;
    names += (names.empty() ? "" : ", ") + std::string(choice);
  }
  throw InvalidArgument(argument + " is \"" + name + "\", expected one of " + names);
}

inline Activation activation(const std::string& name, const std::string& argument) {
  static constexpr std::pair<const char*, Activation> kChoices[] = {
      {"none", Activation::kNone},          {"linear", Activation::kNone},
      {"relu", Activation::kRelu},          {"tanh", Activation::kTanh},
      {"sigmoid", Activation::kSigmoid},    {"gelu", Activation::kGelu},
      {"gelu_tanh", Activation::kGeluTanh}, {"silu", Activation::kSilu}};
  return choose(kChoices, name, argument);
}

inline Activation elman_nonlinearity(const std::string& name) {
  static constexpr std::pair<const char*, Activation> kChoices[] = {{"tanh", Activation::kTanh},
                                                                    {"relu", Activation::kRelu}};
  return choose(kChoices, name, "nonlinearity");
}

}  // namespace attnengine
