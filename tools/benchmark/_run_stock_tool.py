"""mmseg's train.py or test.py, with the benchmark's cached backbone.

It takes the same arguments as ``box2seg``: ``train ...`` or ``test ...``.
"""

import runpy

import cached_backbone  # noqa: F401, registers the backbone

if __name__ == '__main__':
    runpy.run_module('box2seg_mmseg', run_name='__main__', alter_sys=True)
