"""The minimum cut of a grid of pixels, by incremental breadth-first search.

The algorithm is from Goldberg, Hed, Kaplan, Tarjan and Werneck, "Maximum Flows
by Incremental Breadth-First Search", ESA 2011. Two trees grow level by level,
one from the source, one towards the sink. Where they touch, the path between
the terminals is saturated. Nodes that this cuts off, the orphans, look for a
new parent one level above; failing that, they move to the lowest level that
is possible or leave the tree. The flow is kept when the weights of the
terminals change, so cutting a slightly different graph costs little.
"""

from typing import NamedTuple

import numpy as np

from .compiled import compiled
from .pixel_links import STEPS_X, STEPS_Y

_SOURCE, _SINK = 0, 1  # sides: each has a tree and a terminal
# A node's parent is the direction to it, or one of these.
_TERMINAL, _ORPHAN = 8, 9
_END = -1  # of a list


class _Graph(NamedTuple):
    """The flow so far and the two trees; n nodes, one per pixel.

    Direction ``d ^ 1`` is opposite to ``d``. Lists are linked: an array holds
    the next node for each node of a list.
    """

    steps: np.ndarray  # (8,) int64: from a node to its neighbours
    residual: np.ndarray  # (n, 8) float64: free capacity to each neighbour
    excess: np.ndarray  # (n,) float64: from the source > 0, to the sink < 0
    level: np.ndarray  # (n,) int32: 1.. from source, -1.. from sink, 0 free
    parent: np.ndarray  # (n,) int8
    first: np.ndarray  # (n,) int8: no direction before it leads to a parent
    orphans: np.ndarray  # (n + 2,) int32: by distance, the head of a list
    next_orphan: np.ndarray  # (n,) int32
    active: np.ndarray  # (2,) int32: by side, the head of the list to scan
    next_active: np.ndarray  # (2, n) int32
    is_active: np.ndarray  # (2, n) bool: in the list


class MaxFlow:
    """A graph whose nodes are pixels, linked to their eight neighbours.

    Args:
        links: ``(H, W, 8)`` float64, the capacity from a node to its
            neighbour in the order of ``STEPS_Y`` and ``STEPS_X``. The
            outermost rows and columns must have no links, so that the search
            needs no test for the border. The flow changes the array.
    """

    def __init__(self, links: np.ndarray) -> None:
        height, width = links.shape[:2]
        n = height * width
        self._shape = height, width
        self._graph = _Graph(
            steps=np.array(STEPS_Y * width + STEPS_X),
            residual=links.reshape(-1, 8),
            excess=np.zeros(n),
            level=np.empty(n, np.int32),
            parent=np.empty(n, np.int8),
            first=np.empty(n, np.int8),
            orphans=np.full(n + 2, _END, np.int32),
            next_orphan=np.empty(n, np.int32),
            active=np.full(2, _END, np.int32),
            next_active=np.empty((2, n), np.int32),
            is_active=np.zeros((2, n), np.bool_),
        )

    @property
    def excess(self) -> np.ndarray:
        """``(H, W)`` float64: remaining weights of the terminals.

        Values above 0 are capacity from the source, below 0 to the sink. Add
        to the array to change the graph before the next cut.
        """
        return self._graph.excess.reshape(self._shape)

    def cut(self) -> np.ndarray:
        """The source's side of the minimum cut, ``(H, W)`` bool.

        These are the nodes that the source still reaches at maximum flow.
        """
        _fill(self._graph)
        return self._graph.level.reshape(self._shape) > 0


@compiled
def _fill(graph: _Graph) -> None:
    """Grow the trees in turns until one is complete, then the source tree."""
    for node in range(len(graph.excess)):
        graph.level[node] = 0
        if graph.excess[node] != 0:
            side = _SOURCE if graph.excess[node] > 0 else _SINK
            graph.level[node] = 1 - 2 * side
            graph.parent[node] = _TERMINAL
            graph.first[node] = 0
            _activate(graph, side, node)
    side = _SOURCE
    tops = np.ones(2, np.int64)  # the deepest level of each tree
    while graph.active[_SOURCE] != _END:
        if graph.active[side] == _END:
            side = _SOURCE
        _grow(graph, side, tops)
        tops[side] += 1
        side = 1 - side
    # A sink tree that is not complete still has nodes in its list.
    graph.active[:] = _END
    graph.is_active[:] = False


@compiled
def _activate(graph: _Graph, side: int, node: int) -> None:
    if not graph.is_active[side, node]:
        graph.is_active[side, node] = True
        graph.next_active[side, node] = graph.active[side]
        graph.active[side] = node


@compiled
def _grow(graph: _Graph, side: int, tops: np.ndarray) -> None:
    """Add a level to a tree and saturate each path to the other tree."""
    sign = 1 - 2 * side
    top = tops[side]
    added = _END
    while graph.active[side] != _END:
        node = graph.active[side]
        graph.active[side] = graph.next_active[side, node]
        if graph.level[node] * sign == top + 1:
            graph.next_active[side, node] = added
            added = node
            continue
        graph.is_active[side, node] = False
        d = 0
        while graph.level[node] * sign == top and d < 8:
            other = node + graph.steps[d]
            if side == _SOURCE:
                room = graph.residual[node, d]
            else:
                room = graph.residual[other, d ^ 1]
            distance = graph.level[other] * sign
            if room <= 0 or distance > 0:
                d += 1
            elif distance == 0:
                graph.level[other] = (top + 1) * sign
                graph.parent[other] = d ^ 1
                graph.first[other] = 0
                _activate(graph, side, other)
                d += 1
            else:
                if side == _SOURCE:
                    near, far, link = node, other, d
                else:
                    near, far, link = other, node, d ^ 1
                flow = min(
                    graph.residual[near, link],
                    _room(graph, _SOURCE, near),
                    _room(graph, _SINK, far),
                )
                graph.residual[near, link] -= flow
                graph.residual[far, link ^ 1] += flow
                for s, end in ((_SOURCE, near), (_SINK, far)):
                    low, high = _push(graph, s, end, flow)
                    _adopt(graph, s, low, high, tops[s], s == side)
    graph.active[side] = added


@compiled
def _room(graph: _Graph, side: int, node: int) -> float:
    """The largest flow that fits the path from a node to its terminal."""
    room = np.inf
    while graph.parent[node] != _TERMINAL:
        d = graph.parent[node]
        above = node + graph.steps[d]
        if side == _SOURCE:
            room = min(room, graph.residual[above, d ^ 1])
        else:
            room = min(room, graph.residual[node, d])
        node = above
    return min(room, abs(graph.excess[node]))


@compiled
def _push(graph: _Graph, side: int, node: int, flow: float) -> tuple[int, int]:
    """Send flow along the path; return the range of the orphans' levels."""
    sign = 1 - 2 * side
    low, high = 1, 0
    while True:
        d = graph.parent[node]
        above = node
        if d == _TERMINAL:
            graph.excess[node] -= flow * sign
            is_full = graph.excess[node] * sign <= 0
        else:
            above += graph.steps[d]
            if side == _SOURCE:
                graph.residual[above, d ^ 1] -= flow
                graph.residual[node, d] += flow
                is_full = graph.residual[above, d ^ 1] <= 0
            else:
                graph.residual[node, d] -= flow
                graph.residual[above, d ^ 1] += flow
                is_full = graph.residual[node, d] <= 0
        if is_full:
            low = _orphan(graph, node, sign)
            high = max(high, low)
        if above == node:
            return low, high
        node = above


@compiled
def _orphan(graph: _Graph, node: int, sign: int) -> int:
    """Add a node to the list of orphans of its level."""
    level = graph.level[node] * sign
    graph.parent[node] = _ORPHAN
    graph.next_orphan[node] = graph.orphans[level]
    graph.orphans[level] = node
    return level


@compiled
def _adopt(
    graph: _Graph, side: int, low: int, high: int, top: int, grows: bool
) -> None:
    """Find parents for the orphans of a tree, from the terminal outwards.

    Args:
        graph: The graph.
        side: The tree.
        low: The lowest level that has orphans.
        high: The highest level that has orphans; below ``low`` if there are
            none.
        top: The deepest level of the tree that is complete or being scanned.
        grows: Whether one more level is being added.
    """
    sign = 1 - 2 * side
    limit = top + 1 if grows else top
    level = low
    while level <= high:
        node = graph.orphans[level]
        if node == _END:
            level += 1
            continue
        graph.orphans[level] = graph.next_orphan[node]
        # With a parent one level above, the branch stays as it is.
        first = graph.first[node] if level > 1 else 8
        above = (level - 1) * sign
        for d in range(first, 8):
            other = node + graph.steps[d]
            if graph.level[other] == above:
                if side == _SOURCE:
                    room = graph.residual[other, d ^ 1]
                else:
                    room = graph.residual[node, d]
                if room > 0:
                    graph.parent[node] = graph.first[node] = d
                    break
        if graph.parent[node] != _ORPHAN:
            continue
        # Otherwise its children become orphans and may become its parents.
        nearest, parent = limit, _ORPHAN
        for d in range(8):
            other = node + graph.steps[d]
            distance = graph.level[other] * sign
            if distance <= 0:
                continue
            if distance < nearest:
                if side == _SOURCE:
                    room = graph.residual[other, d ^ 1]
                else:
                    room = graph.residual[node, d]
                if room > 0:
                    nearest, parent = distance, d
            if graph.parent[other] == d ^ 1:
                high = max(high, _orphan(graph, other, sign))
        if parent == _ORPHAN:
            graph.level[node] = 0
            continue
        graph.level[node] = (nearest + 1) * sign
        graph.parent[node] = graph.first[node] = parent
        if nearest + 1 >= top:
            _activate(graph, side, node)
