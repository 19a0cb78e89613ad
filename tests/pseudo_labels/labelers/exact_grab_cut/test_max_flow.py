import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut.max_flow import (
    MaxFlow,
)
from box2seg_mmseg.pseudo_labels.labelers.exact_grab_cut.pixel_links import (
    STEPS_X,
    STEPS_Y,
)


def _links(rng, height, width, highest):
    """Random capacities, of which a pair's two may differ."""
    links = np.zeros((height + 2, width + 2, 8), np.int32)
    for y in range(height):
        for x in range(width):
            for d in range(8):
                v, u = y + STEPS_Y[d], x + STEPS_X[d]
                if 0 <= v < height and 0 <= u < width:
                    links[y + 1, x + 1, d] = rng.integers(0, highest + 1)
    return links


def _largest_flow(links, weights):
    """The value of the largest flow, by scipy."""
    height, width = weights.shape
    source, sink = height * width, height * width + 1
    arcs = {}
    for y, x, d in zip(*np.nonzero(links), strict=True):
        v, u = y + STEPS_Y[d], x + STEPS_X[d]
        arcs[y * width + x, v * width + u] = links[y, x, d]
    for node, weight in enumerate(weights.reshape(-1)):
        if weight > 0:
            arcs[source, node] = weight
        elif weight < 0:
            arcs[node, sink] = -weight
    # scipy before 1.15 takes int32 only.
    rows, columns = np.array([*arcs, (source, sink)], np.int32).T
    values = np.array([*arcs.values(), 0]).astype(np.int32)
    graph = csr_array((values, (rows, columns)), shape=(sink + 1, sink + 1))
    return maximum_flow(graph, source, sink).flow_value


def _cost(links, weights, in_source):
    """What the cut cuts: links out of the source's side, and terminals."""
    total = weights[(weights > 0) & ~in_source].sum()
    total -= weights[(weights < 0) & in_source].sum()
    for y, x, d in zip(*np.nonzero(links), strict=True):
        if in_source[y, x] and not in_source[y + STEPS_Y[d], x + STEPS_X[d]]:
            total += links[y, x, d]
    return total


@settings(max_examples=80)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([1, 3, 40]),
    st.sampled_from([2, 10, 200]),
)
def test_the_cut_costs_what_the_largest_flow_carries(
    seed, height, width, highest, heaviest
):
    rng = np.random.default_rng(seed)
    links = _links(rng, height, width, highest)
    graph = MaxFlow(links.copy())
    weights = np.zeros((height + 2, width + 2), np.int64)
    # The same graph again and again, with other weights each time.
    for _ in range(4):
        change = rng.integers(-heaviest, heaviest + 1, (height, width))
        change[rng.random((height, width)) < 0.4] = 0
        weights[1:-1, 1:-1] += change
        graph.excess[1:-1, 1:-1] += change
        in_source = graph.cut()
        assert _cost(links, weights, in_source) == _largest_flow(
            links, weights
        )


def test_a_path_through_the_least_link():
    # source -5-> a -3-> b -9-> c -5-> sink: cut at the link a to b.
    links = np.zeros((3, 5, 8), np.int32)
    links[1, 1, 0], links[1, 2, 0] = 3, 9
    graph = MaxFlow(links)
    graph.excess[1, 1], graph.excess[1, 3] = 5, -5
    in_source = graph.cut()
    assert in_source[1].tolist() == [False, True, False, False, False]
    assert graph.excess[1].tolist() == [0, 2, 0, -2, 0]
