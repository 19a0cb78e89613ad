"""The two search trees of the maximum flow, and flow along their paths.

One tree grows from the source, one towards the sink; a path from terminal to
terminal runs through both. Saturating it cuts nodes off their tree. These
orphans look for a new parent one level above; failing that, they move to the
lowest level that is possible, or leave the tree.

Most of the time goes into looking at a node's eight neighbours. This is done
without branches, which the processor would predict badly, by bit masks with
one bit per neighbour.
"""

from typing import NamedTuple

import numpy as np

from .compiled import compiled_without_counting

SOURCE, SINK = 0, 1  # sides: each has a tree and a terminal
# A node's parent is the direction to it, 0..7, or one of these.
TERMINAL, _ORPHAN = 8, 9
# The state of a node is 16 * level + parent.
LEVEL, _PARENT = 4, 15
END = np.uint32(2**32 - 1)  # of a list
# By a mask of directions, its first.
FIRST = np.array(
    [0] + [(mask & -mask).bit_length() - 1 for mask in range(1, 256)],
    np.uint8,
)
# Numba tests signed indices for being negative, so nodes are unsigned. Its
# arithmetic on unsigned and signed integers gives floats: avoid it.
_EIGHT = np.uint64(8)


class Graph(NamedTuple):
    """The flow so far and the two trees; n nodes, one per pixel.

    Direction ``d ^ 1`` is opposite to ``d``. Lists are linked: an array holds
    the next node for each node of a list.
    """

    steps: np.ndarray  # (8,) uint64: from a node to its neighbours
    residual: np.ndarray  # (8 n,) int32: free capacity to each neighbour
    # (2, n) uint8, masks of directions: which links have free capacity into
    # the node (row 0) and out of it (row 1).
    free: np.ndarray
    excess: np.ndarray  # (n,) int64: from the source > 0, to the sink < 0
    # (n,) int32: see LEVEL. Levels count from 1; the state is negative in the
    # sink's tree and 0 outside the trees.
    state: np.ndarray
    tops: np.ndarray  # (2,) int64: by side, the deepest level
    orphans: np.ndarray  # (n + 2,) uint32: by level, the head of a list
    next_orphan: np.ndarray  # (n,) uint32
    active: np.ndarray  # (2,) uint32: by side, the head of the list to scan
    next_active: np.ndarray  # (2, n) uint32
    is_active: np.ndarray  # (2, n) bool: in the list


@compiled_without_counting
def augment(
    graph: Graph, near: np.uint64, far: np.uint64, link: int, side: int
) -> None:
    """Saturate the path through the link at which the trees touch.

    Args:
        graph: The graph.
        near: The end of the link in the source's tree.
        far: Its end in the sink's tree.
        link: The direction from ``near`` to ``far``.
        side: The tree that is growing.
    """
    flow = min(
        np.int64(graph.residual[near * _EIGHT + np.uint64(link)]),
        _room(graph, SOURCE, near),
        _room(graph, SINK, far),
    )
    _move(graph, near, far, link, flow)
    for s, end in ((SOURCE, near), (SINK, far)):
        low, high = _push(graph, s, end, flow)
        _adopt(graph, s, low, high, s == side)


@compiled_without_counting
def activate(graph: Graph, side: int, node: np.uint64) -> None:
    """Put a node on its tree's list of nodes to scan."""
    if not graph.is_active[side, node]:
        graph.is_active[side, node] = True
        graph.next_active[side, node] = graph.active[side]
        graph.active[side] = node


@compiled_without_counting
def _room(graph: Graph, side: int, node: np.uint64) -> int:
    """The largest flow that fits the path from a node to its terminal."""
    sign = 1 - 2 * side
    room = np.int64(2**62)
    while True:
        d = (graph.state[node] * sign) & _PARENT
        if d == TERMINAL:
            return min(room, abs(graph.excess[node]))
        above = node + graph.steps[d]
        if side == SOURCE:
            link = above * _EIGHT + np.uint64(d ^ 1)
        else:
            link = node * _EIGHT + np.uint64(d)
        room = min(room, np.int64(graph.residual[link]))
        node = above


@compiled_without_counting
def _push(
    graph: Graph, side: int, node: np.uint64, flow: int
) -> tuple[int, int]:
    """Send flow along the path; return the range of the orphans' levels."""
    sign = 1 - 2 * side
    low, high = 1, 0
    while True:
        state = graph.state[node] * sign
        d = state & _PARENT
        above = node
        if d == TERMINAL:
            graph.excess[node] -= flow * sign
            is_full = graph.excess[node] == 0
        else:
            above += graph.steps[d]
            if side == SOURCE:
                is_full = _move(graph, above, node, d ^ 1, flow)
            else:
                is_full = _move(graph, node, above, d, flow)
        if is_full:
            low = state >> LEVEL
            high = max(high, low)
            _orphan(graph, node, low, sign)
        if d == TERMINAL:
            return low, high
        node = above


@compiled_without_counting
def _move(
    graph: Graph, tail: np.uint64, head: np.uint64, d: int, flow: int
) -> bool:
    """Send flow through a link; return whether this fills it."""
    ahead = tail * _EIGHT + np.uint64(d)
    back = head * _EIGHT + np.uint64(d ^ 1)
    if graph.residual[back] == 0:
        graph.free[1, head] |= 1 << (d ^ 1)
        graph.free[0, tail] |= 1 << d
    graph.residual[back] += flow
    graph.residual[ahead] -= flow
    if graph.residual[ahead] > 0:
        return False
    graph.free[1, tail] &= ~(1 << d)
    graph.free[0, head] &= ~(1 << (d ^ 1))
    return True


@compiled_without_counting
def _orphan(graph: Graph, node: np.uint64, level: int, sign: int) -> None:
    """Add a node to the list of orphans of its level."""
    graph.state[node] = ((level << LEVEL) | _ORPHAN) * sign
    graph.next_orphan[node] = graph.orphans[level]
    graph.orphans[level] = node


@compiled_without_counting
def _adopt(graph: Graph, side: int, low: int, high: int, grows: bool) -> None:
    """Find parents for the orphans of a tree, from the terminal outwards.

    Args:
        graph: The graph.
        side: The tree.
        low: The lowest level that has orphans.
        high: The highest level that has orphans; below ``low`` if there are
            none.
        grows: Whether one more level is being added.
    """
    sign = 1 - 2 * side
    top = graph.tops[side]
    limit = top + 1 if grows else top
    level = low
    while level <= high:
        if graph.orphans[level] == END:
            level += 1
            continue
        node = np.uint64(graph.orphans[level])
        graph.orphans[level] = graph.next_orphan[node]
        free = np.int64(graph.free[side, node])
        # With a parent one level above, the branch stays as it is.
        if level > 1:
            parents = 0
            for d in range(8):
                state = graph.state[node + graph.steps[d]] * sign
                parents |= (state >> LEVEL == level - 1) << d
            parents &= free
            if parents:
                d = np.int64(FIRST[parents])
                graph.state[node] = ((level << LEVEL) | d) * sign
                continue
        # Otherwise its children become orphans and may become its parents.
        best, children = limit << LEVEL, 0
        for d in range(8):
            state = graph.state[node + graph.steps[d]] * sign
            is_in_tree = state > 0
            children |= (is_in_tree & (state & _PARENT == d ^ 1)) << d
            could_be = is_in_tree & (free >> d)
            best = min(best, state & ~_PARENT | d if could_be else best)
        while children:
            d = FIRST[children]
            children &= children - 1
            child = node + graph.steps[d]
            below = (graph.state[child] * sign) >> LEVEL
            high = max(high, below)
            _orphan(graph, child, below, sign)
        nearest = best >> LEVEL
        if nearest >= limit:
            graph.state[node] = 0
            continue
        graph.state[node] = (best + (1 << LEVEL)) * sign
        if nearest + 1 >= top:
            activate(graph, side, node)
