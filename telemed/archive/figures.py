"""The archive's gauges, without identifiers: what an operator's alarm watches."""

from prometheus_client import CollectorRegistry, Gauge

from imaging.archive import Archive
from telemed.health import Check


def archive_figures(archive: Archive, registry: CollectorRegistry) -> Check:
    """Brings the gauges up to date."""
    damaged = Gauge("telemed_archive_damaged_instances", "Stored bytes found missing or changed", registry=registry)
    waiting = Gauge("telemed_archive_waiting_instances", "Set aside until somebody decides", registry=registry)
    kept = Gauge("telemed_archive_bytes", "Kept bytes of all hospitals", registry=registry)
    full = Gauge("telemed_archive_full_hospitals", "Hospitals over their hard limit", registry=registry)

    async def refresh() -> None:
        totals = await archive.inventory.totals()
        damaged.set(await archive.verifier.damaged_count())
        waiting.set(totals.waiting)
        kept.set(totals.size_bytes)
        full.set(totals.full_hospitals)

    return refresh
