"""A line chart as SVG: cost against studies per archive, both axes logarithmic."""

import math
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 460, 60, 230, 40, 50
COLOURS = ("#0b6e99", "#c2410c", "#15803d", "#7c3aed", "#b45309", "#be123c", "#0f766e", "#4b5563")


def chart(title: str, lines: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str) -> str:
    """``lines``: name → (x, y), all positive."""
    xs = [x for line in lines.values() for x, _ in line]
    ys = [y for line in lines.values() for _, y in line]
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

    def place(x: float, y: float) -> tuple[float, float]:
        right = (math.log10(x / min(xs)) / math.log10(max(xs) / min(xs))) * (WIDTH - LEFT - RIGHT)
        above = (math.log10(y) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
        return LEFT + right, HEIGHT - BOTTOM - above

    parts = [_text(LEFT, 22, title, size=15), _text(LEFT, HEIGHT - 12, across), _text(8, TOP - 6, up)]
    for power in range(low, high + 1):
        _, y = place(min(xs), 10.0**power)
        parts += [_line([(LEFT, y), (WIDTH - RIGHT, y)], "#d4d4d8"), _text(8, y + 4, f"{10.0**power:g}")]
    parts += [_text(place(x, 1)[0] - 20, HEIGHT - BOTTOM + 18, f"{x:,.0f}") for x in sorted(set(xs))]
    for number, (name, line) in enumerate(lines.items()):
        colour, y = COLOURS[number % len(COLOURS)], TOP + 14 + 18 * number
        dashed = ' stroke-dasharray="5 4"' if number >= len(COLOURS) else ""
        parts.append(_line([place(*point) for point in line], colour, f'stroke-width="2"{dashed}'))
        parts.append(
            _line([(WIDTH - RIGHT + 12, y - 4), (WIDTH - RIGHT + 34, y - 4)], colour, f'stroke-width="2"{dashed}')
        )
        parts.append(_text(WIDTH - RIGHT + 40, y, name))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>", ""])


def _line(points: Sequence[tuple[float, float]], colour: str, more: str = "") -> str:
    listed = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{listed}" fill="none" stroke="{colour}" {more}/>'


def _text(x: float, y: float, words: str, size: int = 12) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}">{words}</text>'
