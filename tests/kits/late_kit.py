"""Libraries that take seconds to load: each process that runs tests reads each test file, and only the one that runs its tests is to pay for them."""

from __future__ import annotations

import ast
import gc
import inspect
from types import ModuleType


def load_late(module: ModuleType) -> None:
    """Carry out what stands under the module's `if TYPE_CHECKING:`, so that its names are there as if they had been imported at the top."""
    gc.disable()  # what they make stays: there is nothing to find for Python's collector, now or later, and it would take long
    try:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                exec(compile(ast.Module(node.body, []), inspect.getfile(module), "exec"), vars(module))
    finally:
        gc.freeze()
        gc.enable()
