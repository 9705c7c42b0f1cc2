"""What scripts/mutations/mutate.py changes, so that its sample says something."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = '''
"""A file."""
import threading

class Counter:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def add(self, number: int = 1) -> bool:
        """Add."""
        with self._lock:
            if number < 0 and self.count == 0:
                _log.warning("it is %d", number)
                raise ValueError(f"less than {number + 1}")
            try:
                self.count = max(self.count, 5) + number
            finally:
                self.tell(False)
        return self.full

    def tell(self, loud: bool) -> None:
        """Tell."""
        while self.waiting:
            break
'''


@pytest.fixture
def mutants(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that changes code."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "mutations"))
    import mutants

    return mutants


def test_each_way_of_changing_code_is_tried(mutants: ModuleType) -> None:
    """Comparisons, conditions, numbers, returns, calls, what `finally` does, and locks; no text, no declaration, no log."""
    changes = {(mutant.lines.start, mutant.change) for mutant in mutants.mutants_of("a.py", SOURCE)}
    assert changes == {
        (9, "0  →  1"),
        (12, "1  →  2"),
        (14, "with self._lock  →  without it"),
        (15, "number < 0  →  <="),
        (15, "self.count == 0  →  !="),
        (15, "number < 0 and self.count == 0  →  or"),
        (15, "0  →  1"),
        (19, "self.count = max(self.count, 5) + number  →  left out"),
        (19, "max(self.count, 5) + number  →  Sub"),
        (19, "max(self.count, 5)  →  min"),
        (19, "5  →  6"),
        (21, "self.tell(False)  →  left out"),
        (21, "False  →  not so"),
        (22, "return self.full  →  return None"),
        (26, "if self.waiting  →  if not"),
        (27, "break  →  left out"),
    }


@pytest.mark.parametrize(
    "name",
    ["runtime/receiving/backlog.py", *(pytest.param(name, marks=pytest.mark.slow) for name in ("transport/ways.py", "client/files/part_file.py"))],
)
def test_a_mutant_is_one_change_of_code_that_runs(mutants: ModuleType, name: str) -> None:
    """Each of a real file can be compiled, differs from the file, and from all others."""
    source = (ROOT / "syncbot" / name).read_text(encoding="utf-8")
    whole = ast.unparse(ast.parse(source))
    made = [mutant.applied(source) for mutant in mutants.mutants_of(name, source)]
    assert len(set(made)) == len(made) > 20
    for text in made:
        compile(text, name, "exec")
        assert text != whole
