#pragma once

#include <memory>

#include <pybind11/pybind11.h>

namespace attnengine {

// A pointer to an object that Python and C++ models share.
template <class T>
using Shared = std::shared_ptr<T>;

// One function for each part; module.cc calls them unless a comment says otherwise.
void bind_errors(pybind11::module_& m);
void bind_kernels(pybind11::module_& m);
void bind_attention_kernels(pybind11::module_& m);  // called by bind_kernels
void bind_key_value_pages(pybind11::module_& m);    // called by bind_kernels
void bind_gate_kernels(pybind11::module_& m);       // called by bind_kernels
void bind_layers(pybind11::module_& m);
void bind_models(pybind11::module_& m);
void bind_encoders(pybind11::module_& m);            // called by bind_models
void bind_rnn_models(pybind11::module_& m);          // called by bind_models
void bind_transformer_layers(pybind11::module_& m);  // called by bind_layers
void bind_transformers(pybind11::module_& m);        // called by bind_models
void bind_decoding(pybind11::module_& m);
void bind_decoding_options(pybind11::module_& m);  // called by bind_decoding
void bind_decoding_rules(pybind11::module_& m);    // called by bind_decoding

}  // namespace attnengine
