"""Who calls whom in a script, read from lummao's parse of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import lummao


class Calls:
    """`direct[caller]`: every function it calls; handlers go by their event's name."""

    def __init__(self, source: str) -> None:
        parsed = lummao.convert_script_to_ir(source)
        self.direct: dict[str, set[str]] = defaultdict(set)
        (self.state,) = parsed["states"]  # one state: no other set of handlers to forget
        self.handlers = [handler["name"] for handler in self.state["handlers"]]
        for called in [*parsed["functions"], *self.state["handlers"]]:
            self.direct[called["name"]] |= {
                step["name"] for step in called["code"] if step.get("op") in ("CALL", "CALL_LIB")
            }

    def everything(self) -> set[str]:
        return set().union(*self.direct.values())

    def reach(self, start: str, *, except_through: Iterable[str] = ()) -> set[str]:
        """What `start` may call in the end; `except_through` are not entered."""
        closed, found, waiting = set(except_through), set[str](), [start]
        while waiting:
            for called in self.direct[waiting.pop()] - found - closed:
                found.add(called)
                waiting.append(called)
        return found

    def callers(self, name: str) -> Iterator[str]:
        return (caller for caller, called in self.direct.items() if name in called)
