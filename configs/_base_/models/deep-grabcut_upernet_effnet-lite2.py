# From a crop around a box and its distance map to the object in the box.
_base_ = './upernet_effnet-lite2.py'
model = dict(
    data_preprocessor=dict(
        # CropBox makes RGB and the distance map. mmengine takes three values
        # or one.
        mean=[127],
        std=[128],
        bgr_to_rgb=False,
    ),
    backbone=dict(
        _delete_=True,
        type='BackboneWithDistance',
        backbone=dict(
            type='EfficientNetLite',
            variant='lite2',
            out_indices=(1, 2, 4, 6, 7),
            frozen_stages=7,
            # box2seg convert_backbone downloads these weights.
            init_cfg=dict(
                type='Pretrained', checkpoint='box2seg://efficientnet-lite2'
            ),
        ),
    ),
    decode_head=dict(
        in_channels=[25, 49, 121, 353, 1281],
        num_classes=2,
        out_channels=2,
    ),
)
