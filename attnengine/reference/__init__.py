"""The lecture made callable: every kernel, layer and model in plain NumPy.

Written to be read, and to be the answer that the C++ code is tested against. Arrays keep
the precision they come in: float64 in, float64 out.
"""
