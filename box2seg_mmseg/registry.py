"""A registry of classes that configs name, open to code outside the package.

mmengine's own registry needs torch and searches other packages by scope;
pseudo labels and boxes need neither.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar('T')


class Registry(Generic[T]):
    """Classes by name.

    Args:
        kind: What the classes are, for messages, such as ``'box source'``.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._classes: dict[str, type[T]] = {}

    def register_module(self) -> Callable[[type[T]], type[T]]:
        """Decorate a class to register it under its own name.

        Raises:
            KeyError: Another class has this name.
        """

        def register(cls: type[T]) -> type[T]:
            known = self._classes.setdefault(cls.__name__, cls)
            if known is not cls:
                raise KeyError(
                    f'{cls.__name__}: {known.__module__} already registers a '
                    f'{self._kind} of this name; rename one of the two'
                )
            return cls

        return register

    def __getitem__(self, name: str) -> type[T]:
        """The class of a name; a ValueError if no class has it."""
        if name not in self._classes:
            raise ValueError(
                f'type must be the name of a {self._kind}: '
                f'{", ".join(self._classes)}, or one that a module in '
                f'custom_imports registers. Got: {name!r}'
            )
        return self._classes[name]

    def __iter__(self) -> Iterator[type[T]]:
        """The classes, in the order of their registration."""
        return iter(self._classes.values())

    def build(self, cfg: Mapping[str, Any]) -> T:
        """Build an object from its config.

        Args:
            cfg: ``type`` is the class's name; the rest are its arguments.

        Raises:
            ValueError: ``type`` is missing or unknown.
            TypeError: The class does not take one of the arguments.
        """
        kwargs = dict(cfg)
        kwargs.pop('_scope_', None)  # mmengine's mark; we have no scopes
        cls = self[kwargs.pop('type', None)]
        return cls(**kwargs)
