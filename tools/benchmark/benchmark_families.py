"""Families of rows, each with a table of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmark_rows import HEAD, ROWS, Row

from box2seg_mmseg.errors import UsageError


@dataclass(frozen=True)
class Setting:
    """A setting of Box2Seg that the sweep changes.

    Args:
        name: The start of its rows' names.
        title: Its name in the table.
        key: Its place in the config.
        default: Its value in Box2Seg's configs.
        values: The values to try beside it.
    """

    name: str
    title: str
    key: str
    default: float
    values: tuple[float, ...]

    def rows(self) -> Iterator[Row]:
        """One row for each value."""
        for value in self.values:
            yield Row(
                f'{self.name}-{value}',
                f'{self.title} = {value} (default {self.default})',
                options={f'{HEAD}.{self.key}': value},
            )


_ATTENTION, _AFFINITY = 'losses.1', 'losses.2'
SETTINGS = (
    Setting('gamma', 'gamma', f'{_ATTENTION}.gamma', 0.7, (0.5, 0.9)),
    Setting('w_fg', 'w_fg', f'{_ATTENTION}.fg_weight', 0.5, (0.2, 1.0)),
    Setting('w_bg', 'w_bg', f'{_ATTENTION}.bg_weight', 3.0, (1.0, 10.0)),
    Setting('w_fr', 'w_fr', f'{_ATTENTION}.fr_weight', 5.0, (2.0, 15.0)),
    Setting('w_A', 'w_A', f'{_AFFINITY}.loss_weight', 5.0, (1.0, 20.0)),
    Setting(
        'warmup',
        'iterations before L_fg',
        f'{_ATTENTION}.warmup_iters',
        100,
        (0, 200),
    ),
    Setting(
        'embedding-pretrain',
        'iterations that pre-train embeddings',
        f'{_AFFINITY}.pretrain_iters',
        100,
        (0, 200),
    ),
    Setting(
        'embedding-size',
        'embedding size',
        f'{_AFFINITY}.embedding_channels',
        64,
        (16, 128),
    ),
)


@dataclass(frozen=True)
class Family:
    """Rows on the same data, in one table.

    Args:
        title: The title of the table.
        configs: The folder of the rows' configs in ``configs``.
        rows: The rows.
        default: Of a sweep, the family whose row box2seg has the settings'
            default values.
    """

    title: str
    configs: str
    rows: tuple[Row, ...]
    default: str | None = None


_ONE_CLASS = 'miniature_1class'
FAMILIES = {
    'miniature': Family('20 classes (voc-mini)', 'miniature', ROWS),
    _ONE_CLASS: Family(
        'one class, object against background (voc-mini)', _ONE_CLASS, ROWS
    ),
    'sweep': Family(
        "Box2Seg's settings, each changed alone, one class (voc-mini)",
        _ONE_CLASS,
        tuple(row for one in SETTINGS for row in one.rows()),
        default=_ONE_CLASS,
    ),
}


def choose_rows(only: Sequence[str] | None) -> list[tuple[str, Row]]:
    """The rows that a command line asks for, and those that they need.

    The rows of a sweep need the row that they are compared with.

    Args:
        only: Names of rows, ``box2seg`` for every family that has it or
            ``miniature/box2seg`` for one; names of families; None for all.

    Returns:
        Family and row, in the order in which they have to run.

    Raises:
        UsageError: There is no such row.
    """
    every = {
        f'{name}/{row.name}': (name, row)
        for name, family in FAMILIES.items()
        for row in family.rows
    }
    wanted = set(every) if only is None else set()
    for name in only or ():
        found = {full for full in every if name in (full, *full.split('/'))}
        if not found:
            rows = dict.fromkeys(row.name for _, row in every.values())
            raise UsageError(
                f'{name}: no such row; there are {", ".join(rows)}, for one '
                f'family as {next(iter(every))}'
            )
        wanted |= found
    for name in list(wanted):
        family, row = every[name]
        if row.needs is not None:
            wanted.add(f'{family}/{row.needs}')
        default = FAMILIES[family].default
        if default is not None:
            wanted.add(f'{default}/box2seg')
    return [pair for name, pair in every.items() if name in wanted]
