#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "core/activation.h"
#include "core/errors.h"
#include "core/precision.h"
#include "kernels/steps/gates.h"
#include "layers/pooling.h"

namespace attnengine {

// Returns the value of a name. Throws InvalidArgument, which lists the names, for an unknown one.
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
      {"none", Activation::kNone},
      {"linear", Activation::kNone},
      {"relu", Activation::kRelu},
      {"tanh", Activation::kTanh},
      {"sigmoid", Activation::kSigmoid},
      {"gelu", Activation::kGelu},
      {"gelu_tanh", Activation::kGeluTanh},
      {"silu", Activation::kSilu},
      {"hard_sigmoid", Activation::kHardSigmoid},
      {"hard_sigmoid_6", Activation::kHardSigmoid6}};
  return choose(kChoices, name, argument);
}

inline Pooling pooling_of(const std::string& name) {
  static constexpr std::pair<const char*, Pooling> kPoolings[] = {
      {"mean", Pooling::kMean},           {"max", Pooling::kMax},
      {"first", Pooling::kFirst},         {"last", Pooling::kLast},
      {"attention", Pooling::kAttention}, {"weighted_mean", Pooling::kWeightedMean},
      {"mean_sqrt", Pooling::kMeanSqrt}};
  return choose(kPoolings, name, "pooling");
}

// Finds a value of an enumeration; `names` lists the names of its values in order.
template <class T, std::size_t N>
T choose(const char* const (&names)[N], const std::string& name, const std::string& argument) {
  std::pair<const char*, T> choices[N];
  for (std::size_t i = 0; i < N; ++i) choices[i] = {names[i], T(i)};
  return choose(choices, name, argument);
}

inline Precision precision_of(const std::string& name) {
  return choose<Precision>(kPrecisionNames, name, "precision");
}

inline CachePrecision cache_precision_of(const std::string& name) {
  return choose<CachePrecision>(kCachePrecisionNames, name, "cache_precision");
}

inline CellOptions cell_options(const std::string& nonlinearity,
                                const std::string& gate_activation) {
  return {activation(nonlinearity, "nonlinearity"), activation(gate_activation, "gate_activation")};
}

// The limit of numbers to [-limit, limit]; infinity if absent. Throws InvalidArgument unless it is
// above 0.
inline float limit(const std::optional<float>& value, const std::string& argument) {
  if (!value) return std::numeric_limits<float>::infinity();
  if (!(*value > 0))
    throw InvalidArgument(argument + " is " + std::to_string(*value) +
                          ", expected a number above 0 or None");
  return *value;
}

}  // namespace attnengine
