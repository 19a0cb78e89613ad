"""What every loss of Box2SegHead is."""

from abc import ABCMeta, abstractmethod

from torch import Tensor, nn

from ...structures import TrainingStep


class Box2SegLoss(nn.Module, metaclass=ABCMeta):
    """A loss that :class:`Box2SegHead` takes in its list ``losses``.

    A subclass, registered in mmseg's ``MODELS`` in any package, says which
    branches of the decoder it needs, owns its weights and its schedule, and
    computes its losses from a :class:`TrainingStep`.
    """

    is_off = False
    """Whether all weights are 0; then the head leaves the loss out."""

    def branch_channels(self, num_classes: int) -> dict[str, int]:
        """The branches that the loss needs beside the decoder of classes.

        Args:
            num_classes: L + 1, background included.

        Returns:
            Channels by the branch's name. Losses that name the same branch
            share it.
        """
        return {}

    @abstractmethod
    def forward(self, step: TrainingStep) -> dict[str, Tensor]:
        """Compute the losses of a step, with autocast off.

        Returns:
            Scalars by name. mmengine adds up every value whose name contains
            ``loss``; the others are logged as statistics.
        """
