"""Layouts held in memory: an instance's layout never changes, and a viewer asks for it with every frame."""

from collections import OrderedDict
from typing import Final

from imaging.dicom.layout import Layout

# Frames and bulk values that all kept layouts may describe together: some tens of megabytes.
KEPT_SPANS: Final = 200_000


class RecentLayouts:
    """The layouts asked for last, by instance key, as many as describe at most ``limit`` spans."""

    def __init__(self, limit: int = KEPT_SPANS) -> None:
        self._limit = limit
        self._spans = 0
        self._kept: OrderedDict[str, Layout] = OrderedDict()

    def get(self, instance_id: str) -> Layout | None:
        layout = self._kept.get(instance_id)
        if layout is not None:
            self._kept.move_to_end(instance_id)
        return layout

    def keep(self, instance_id: str, layout: Layout) -> None:
        if instance_id in self._kept:
            return
        self._kept[instance_id] = layout
        self._spans += _spans(layout)
        while self._spans > self._limit:
            _, dropped = self._kept.popitem(last=False)
            self._spans -= _spans(dropped)


def _spans(layout: Layout) -> int:
    """How much of the limit it takes: its frames and bulk values, and some for itself."""
    return 10 + len(layout.bulk) + (len(layout.pixels.frames) if layout.pixels else 0)
