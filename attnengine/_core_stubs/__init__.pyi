"""Stubs of `attnengine._core`, a file for each part of csrc/bindings; the module has all names."""
