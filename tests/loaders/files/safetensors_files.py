"""Writes safetensors files without the library: any header, any data."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any


def safetensors_bytes(header: str | Mapping[str, Any], data: bytes = b"", pad: int = 0) -> bytes:
    text = header if isinstance(header, str) else json.dumps(header)
    encoded = text.encode() + b" " * pad
    return struct.pack("<Q", len(encoded)) + encoded + data
