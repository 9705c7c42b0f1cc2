"""What there is once for each process."""

from __future__ import annotations

import os
import threading

from syncbot.process import PerProcess


def test_a_child_begins_with_one_of_its_own() -> None:
    """A forked child gets another one than its parent, and can take out what it inherited to let go of it, once; the parent keeps its own."""
    numbers = iter(range(10))
    things = PerProcess(lambda: next(numbers))
    assert things.if_made is None
    assert things.here == things.here == things.if_made == 0
    child = os.fork()
    if not child:
        is_right = things.if_made is None and things.here == 1 and things.take_inherited() == [0] and things.take_inherited() == [] and things.here == 1
        os._exit(0 if is_right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert things.take_inherited() == []
    assert (things.take(), things.take(), things.here) == (0, None, 1)


def test_threads_that_come_first_at_once_get_the_same() -> None:
    """Both make one, and one of these is used by both."""
    both = threading.Barrier(2)

    def make() -> object:
        both.wait(20)
        return object()

    things = PerProcess(make)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(things.here)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] is found[1] is things.here
