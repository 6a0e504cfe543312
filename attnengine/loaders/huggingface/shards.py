"""Reads the weights of a folder: one safetensors or PyTorch file, or shards and their index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from attnengine.errors import FormatError
from attnengine.loaders.checkpoint import Tensor
from attnengine.loaders.files import safetensors, torch_checkpoint
from attnengine.loaders.files.damage import short
from attnengine.loaders.files.text import VOCABULARY_LIMIT, read_object

Read = Callable[[Path], Mapping[str, Tensor]]

# transformers' order of search: the first file that exists is read
FILES: Mapping[str, Read] = {
    "model.safetensors": safetensors.read,
    "model.safetensors.index.json": safetensors.read,
    "pytorch_model.bin": torch_checkpoint.state_dict,
    "pytorch_model.bin.index.json": torch_checkpoint.state_dict,
}
_INDEX_SUFFIX = ".index.json"


def read(folder: Path) -> Mapping[str, Tensor]:
    """Return weights by name; raise `FormatError` for no weights or a missing shard or weight."""
    for name, read_file in FILES.items():
        if (folder / name).exists():
            if name.endswith(_INDEX_SUFFIX):
                return _sharded(folder / name, read_file)
            return read_file(folder / name)
    for shard in sorted(folder.glob("*-00001-of-*")):
        raise FormatError(
            f"{folder} has shards such as {shard.name}, but their index is missing, expected "
            f"{' or '.join(name for name in FILES if name.endswith(_INDEX_SUFFIX))}"
        )
    raise FormatError(f"{folder} has no weights, expected one of {', '.join(FILES)}")


def _sharded(index: Path, read_file: Read) -> dict[str, Tensor]:
    places = read_object(index, VOCABULARY_LIMIT).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise FormatError(f"{index}: weight_map is {short(places)}, expected a file of each weight")
    shards: dict[str, Mapping[str, Tensor]] = {}
    for name, shard in places.items():
        if not isinstance(shard, str) or not _is_plain(shard):
            raise FormatError(f"{index}: {name!r:.200} is in {short(shard)}, expected a file name")
        if shard not in shards:
            if not (index.parent / shard).is_file():
                raise FormatError(f"{index}: the shard {shard!r:.200} is missing")
            shards[shard] = read_file(index.parent / shard)
        if name not in shards[shard]:
            raise FormatError(f"{index}: {shard!r:.200} has no weight {name!r:.200}")
    for shard, tensors in shards.items():
        for name in tensors:
            if places.get(name) != shard:
                raise FormatError(f"{index}: {name!r:.200} of {shard!r:.200} is not in weight_map")
    return {name: shards[shard][name] for name, shard in places.items()}


def _is_plain(name: str) -> bool:
    """Whether a name is a plain file name, on any system, so that it cannot leave the folder."""
    return name not in ("", ".", "..") and not any(sign in name for sign in "/\\:\0")
