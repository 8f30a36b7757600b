"""Options whose value may be left out: `--articles` and `--articles FILE`."""

from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperCommand


class OptionalValues(TyperCommand):
    """A command some of whose options are given as empty where no value follows them; typer has no such option."""

    #: Those options.
    optional: Sequence[str] = ()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of the command line."""
        return super().parse_args(ctx, [*self._completed(args)])

    def _completed(self, args: Sequence[str]) -> Iterator[str]:
        for word, following in zip(args, [*args[1:], "-"], strict=True):
            yield f"{word}=" if word in self.optional and following.startswith("-") else word
