# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Two kernels in plain Cython: loops over memoryviews, C's math functions, one thread."""

import numpy as np

from libc.math cimport expf, tanhf


def gru_gates(const float[:, ::1] gx, const float[:, ::1] gh, const float[:, ::1] hidden):
    """As `attnengine.reference.rnn_gates.gru_gates`: gx, gh (rows, 3 * size), hidden (rows, size)."""
    cdef Py_ssize_t rows = hidden.shape[0], size = hidden.shape[1], i, j
    result = np.empty((rows, size), np.float32)
    cdef float[:, ::1] out = result
    cdef float r, z, n
    for i in range(rows):
        for j in range(size):
            r = 1 / (1 + expf(-gx[i, j] - gh[i, j]))
            z = 1 / (1 + expf(-gx[i, size + j] - gh[i, size + j]))
            n = tanhf(gx[i, 2 * size + j] + r * gh[i, 2 * size + j])
            out[i, j] = (1 - z) * n + z * hidden[i, j]
    return result


def additive_attention(
    const float[:, ::1] query, const float[:, ::1] keys, const float[:, ::1] values, const float[::1] v
):
    """As `attnengine.reference.attention.additive_attention`.

    query (beam, key_dim), keys (src, key_dim), values (src, value_dim), v (key_dim,). Returns
    (context (beam, value_dim), weights (beam, src)).
    """
    cdef Py_ssize_t beam = query.shape[0], src = keys.shape[0], i, t, d
    contexts = np.zeros((beam, values.shape[1]), np.float32)
    all_weights = np.empty((beam, src), np.float32)
    cdef float[:, ::1] context = contexts, weights = all_weights
    cdef float score, largest, total
    for i in range(beam):
        largest = -float("inf")
        for t in range(src):
            score = 0
            for d in range(keys.shape[1]):
                score += v[d] * tanhf(query[i, d] + keys[t, d])
            weights[i, t] = score
            largest = max(largest, score)
        total = 0
        for t in range(src):
            weights[i, t] = expf(weights[i, t] - largest)
            total += weights[i, t]
        for t in range(src):
            weights[i, t] /= total
            for d in range(values.shape[1]):
                context[i, d] += weights[i, t] * values[t, d]
    return contexts, all_weights
