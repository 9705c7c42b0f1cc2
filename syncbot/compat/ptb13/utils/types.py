"""Names that programs write into their annotations."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, TypeAlias, TypeVar

RT = TypeVar("RT")
JSONDict: TypeAlias = dict[str, Any]
FileLike: TypeAlias = IO[bytes]
FileInput: TypeAlias = str | bytes | FileLike | Path
DVInput: TypeAlias = Any
ODVInput: TypeAlias = Any
SLT: TypeAlias = Any
