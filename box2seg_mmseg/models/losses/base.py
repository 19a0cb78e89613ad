"""The base class of the losses of Box2SegHead."""

from abc import ABCMeta, abstractmethod

from torch import Tensor, nn

from ...structures import TrainingStep


class Box2SegLoss(nn.Module, metaclass=ABCMeta):
    """A loss that :class:`Box2SegHead` takes in its list ``losses``.

    Any package can register a subclass in mmseg's ``MODELS``. A subclass
    names the branches of the decoder that it needs, owns its weights and its
    schedule, and computes its losses from a :class:`TrainingStep`.
    """

    is_off = False
    """Whether all weights are 0, so that the head leaves the loss out.

    A loss with weights sets it in ``__init__``.
    """

    def branch_channels(self, num_classes: int) -> dict[str, int]:
        """The branches that the loss needs besides the decoder of classes.

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

        With several processes, the head averages the values over them. The
        names must then be the same in each process. A mean over images, or a
        sum over valid pixels divided by ``step.num_valid``, gives the loss of
        all images.

        Returns:
            Scalars by name. mmengine adds up every value whose name contains
            ``loss``; the others are logged as statistics.
        """
