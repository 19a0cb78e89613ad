"""The Ray engine on a local cluster of two nodes, one of which is killed."""

import time

import pytest
from rendered_scenes import SCENE_CLASSES

from box2seg_mmseg.boxes import VOCXML
from box2seg_mmseg.pseudo_labels import (
    build_labeler,
    generate_pseudo_labels,
    verify_pseudo_labels,
)

ray = pytest.importorskip('ray', reason="needs the extra 'ray'")


@pytest.fixture
def cluster(monkeypatch):
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args=dict(num_cpus=1, include_dashboard=False),
    )
    monkeypatch.setenv('RAY_ADDRESS', cluster.address)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def test_a_lost_nodes_work_is_done_again(cluster, scenes, tmp_path):
    node = cluster.add_node(num_cpus=1)
    ids = [f'train_{i:04d}' for i in range(16)]
    items = list(VOCXML(scenes, SCENE_CLASSES).read(ids))

    def annotations():
        for i, item in enumerate(items):
            if i == 12:  # four are done, eight under way on both nodes
                cluster.remove_node(node, allow_graceful=False)
            yield item

    labeler = build_labeler(dict(type='GrabCut'))
    summary = generate_pseudo_labels(
        annotations(), labeler, tmp_path / 'ray', workers=2, engine='ray'
    )
    assert summary.num_images == 16 and not summary.errors
    _wait_until_lost(node.node_id)
    assert list(verify_pseudo_labels(tmp_path / 'ray')) == []
    generate_pseudo_labels(items, labeler, tmp_path / 'local')
    files = sorted(p.name for p in (tmp_path / 'local').iterdir())
    assert files == sorted(p.name for p in (tmp_path / 'ray').iterdir())
    for name in files:
        assert (tmp_path / 'ray' / name).read_bytes() == (
            tmp_path / 'local' / name
        ).read_bytes()


def _wait_until_lost(node_id):
    end = time.monotonic() + 60
    while any(n['Alive'] and n['NodeID'] == node_id for n in ray.nodes()):
        assert time.monotonic() < end, 'the node still lives'
        time.sleep(0.5)
