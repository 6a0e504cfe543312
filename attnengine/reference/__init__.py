"""Every kernel, layer and model in plain NumPy: readable code that tests compare the C++ with.

Results have the precision of the inputs: float64 in, float64 out.
"""
