"""What can be said of any image without knowing what it shows: is it blank, clipped, noisy, uneven? Pure numpy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Grey = NDArray[np.float32]

# A frame whose values lie within this share of the range its bits allow shows nothing.
BLANK_SHARE = 0.001
# So much of a frame at the brightest value it can store means that something was cut off.
MUCH_CLIPPED = 0.05
# Noise above this share of the frame's own contrast hides detail.
MUCH_NOISE = 0.25

_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True, slots=True)
class Quality:
    """noise: standard deviation in stored values. contrast: distance of the 5th from the 95th percentile.

    clipped: share of pixels at the brightest value the bits can store. unevenness: how much the mean of the frame's
    quarters differs, as a share of the contrast; 0 for an even frame.
    """

    noise: float
    contrast: float
    clipped: float
    unevenness: float
    blank: bool

    @property
    def noise_share(self) -> float:
        return self.noise / self.contrast if self.contrast else 0.0

    @property
    def remarks(self) -> list[str]:
        """What is conspicuous, in words; empty when nothing is."""
        if self.blank:
            return ["该帧为空白"]
        remarks = []
        if self.clipped > MUCH_CLIPPED:
            remarks.append(f"{self.clipped:.0%} 的像素达到可存储的最大值")
        if self.noise_share > MUCH_NOISE:
            remarks.append(f"噪声为对比度的 {self.noise_share:.0%}")
        return remarks

    @property
    def badness(self) -> float:
        """For ranking: higher is worse."""
        return 1000.0 * self.blank + self.clipped / MUCH_CLIPPED + self.noise_share / MUCH_NOISE


def measured(frame: Grey, brightest: float, darkest: float = 0.0) -> Quality:
    """``frame``: stored values, (rows, columns) float32, at least 3 x 3; the values its bits can hold."""
    low, high = (float(value) for value in np.percentile(frame, (5, 95)))
    return Quality(
        noise=noise(frame),
        contrast=high - low,
        clipped=float((frame >= brightest).mean()),
        unevenness=_unevenness(frame, high - low),
        blank=bool(np.ptp(frame) <= BLANK_SHARE * (brightest - darkest)),
    )


def noise(frame: Grey) -> float:
    """Standard deviation of noise, from what a Laplacian leaves of a frame: J. Immerkær, Fast noise variance
    estimation, CVIU 64 (1996) 300-302. Edges are left out by taking the median of the absolute response.
    """
    response = ndimage.convolve(frame, _LAPLACIAN, mode="reflect")[1:-1, 1:-1]
    # For a normal distribution the median of the absolute value is 0.6745 of the deviation; the mask's norm is 6.
    return float(np.median(np.abs(response)) / 0.6745 / 6)


def _unevenness(frame: Grey, contrast: float) -> float:
    rows, columns = frame.shape[0] // 2, frame.shape[1] // 2
    quarters = [
        float(part.mean())
        for part in (frame[:rows, :columns], frame[:rows, columns:], frame[rows:, :columns], frame[rows:, columns:])
    ]
    return (max(quarters) - min(quarters)) / contrast if contrast else 0.0
