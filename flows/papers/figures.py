"""Figures: vector, deterministic to the byte, drawn from series that lie beside them as JSON."""

from __future__ import annotations

import io
import json
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agents.records import Execution
from agents.team import Dossier
from flows.papers import series
from flows.papers.numbers import power
from flows.papers.series import Series
from templates.manifest import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 6.3
"""Inches: the width of the text in the paper."""
INK, FAINT, RULE = "#222222", "#8a8a8a", "#c8c8c8"
# Okabe and Ito's colours; the markers differ too, so that nothing hangs on colour alone.
VERDICTS = {
    "supported": ("#0072B2", "o"),
    "refuted": ("#D55E00", "X"),
    "inconclusive": ("#7a7a7a", "D"),
}
STYLE = {
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.frameon": False,
    "legend.fontsize": 7,
}
DIFFERENCES, SEARCH, EVIDENCE = "differences", "search", "evidence"


def draw_all(dossier: Dossier, executions: Sequence[Execution], metric: Metric) -> dict[str, bytes]:
    """Return file name -> bytes of every figure (SVG) and the series it shows (JSON)."""
    data: dict[str, tuple[Series, Callable[[Series, Metric], Figure]]] = {
        DIFFERENCES: (series.differences(dossier, executions), _differences),
        SEARCH: (
            series.search(dossier, executions, metric=metric.name, maximize=metric.direction == "maximize"),
            _search,
        ),
        EVIDENCE: (series.evidence(dossier, executions), _evidence),
    }
    files: dict[str, bytes] = {}
    for name, (shown, draw) in data.items():
        if not _has_content(shown):
            continue
        with _style(name):
            files[f"figures/{name}.svg"] = _svg(draw(shown, metric))
        files[f"figures/{name}.json"] = (json.dumps(shown, indent=1, sort_keys=True) + "\n").encode()
    return files


def _has_content(shown: Series) -> bool:
    return bool(shown.get("claims") or any(v is not None for v in shown.get("values", ())) or shown.get("plans"))


@contextmanager
def _style(salt: str) -> Iterator[None]:
    import matplotlib as mpl

    settings: Any = {**STYLE, "svg.hashsalt": f"hypoloop-{salt}"}
    # The salt makes the ids inside the SVG a function of its content and name, where they would be random.
    with mpl.rc_context(settings):
        yield


def _svg(figure: Figure) -> bytes:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    out = io.BytesIO()
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(out, metadata={"Date": None, "Creator": "hypoloop", "Format": None, "Type": None})
    return out.getvalue()


def _axes(height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="none")
    axes = figure.add_subplot()
    axes.set_facecolor("none")
    return figure, axes


def _sense(metric: Metric) -> str:
    return f"{metric.title} ({metric.unit})" if metric.unit else metric.title


def _differences(shown: Series, metric: Metric) -> Figure:
    """One row per claim: a dot per seed, the mean and its interval above them, zero and the least effect."""
    claims = shown["claims"]
    figure, axes = _axes(0.75 + 0.42 * len(claims))
    axes.axvline(0, color=INK, linewidth=0.7, zorder=1)
    for row, claim in enumerate(claims):
        colour, marker = VERDICTS[claim["verdict"]]
        values = claim["differences"]
        # Dots of one row step through five heights, so that equal values stay visible.
        heights = [row + 0.14 + 0.06 * (i % 5) for i in range(len(values))]
        axes.scatter(values, heights, s=7, color=colour, alpha=0.55, linewidths=0, zorder=2)
        if claim["interval"]:
            axes.plot(claim["interval"], [row, row], color=colour, linewidth=1.8, solid_capstyle="butt", zorder=3)
        axes.plot(
            [claim["estimate"]],
            [row],
            marker,
            color=colour,
            markersize=5.5,
            markeredgecolor="white",
            markeredgewidth=0.5,
            zorder=4,
        )
        axes.plot(
            [claim["least_effect"]] * 2,
            [row - 0.3, row + 0.42],
            color=FAINT,
            linewidth=0.8,
            linestyle=(0, (2, 1.5)),
            zorder=1,
        )
    axes.set_yticks(range(len(claims)), [_row(c) for c in claims])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(claims) - 0.35, -0.5)
    axes.set_xlabel(f"Paired difference in {_lower(_sense(metric))}; right of the line is better")
    return figure


def _row(claim: Series) -> str:
    """What stands beside a claim's row."""
    return "\n".join([f"{claim['claim']} ({claim['candidate']})", ", ".join([claim["verdict"], *claim["labels"]])])


def _lower(title: str) -> str:
    """A title inside a sentence; acronyms stay as they are."""
    return title if len(title) > 1 and title[1].isupper() else title[:1].lower() + title[1:]


def _search(shown: Series, metric: Metric) -> Figure:
    """Every execution of the search as a dot, the baseline's mean, and the best candidate's mean so far."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _axes(2.2)
    length = len(shown["values"])
    scored = [(x, v) for x, v in enumerate(shown["values"], start=1) if v is not None]
    axes.scatter(
        [x for x, _ in scored],
        [v for _, v in scored],
        s=9,
        color="#56B4E9",
        alpha=0.65,
        linewidths=0,
        label="one execution",
    )
    if shown["baseline"] is not None:
        axes.axhline(shown["baseline"], color=FAINT, linewidth=0.9, linestyle=(0, (4, 2)), label="baseline, mean")
    best = [(x, v) for x, v in enumerate(shown["best_so_far"], start=1) if v is not None]
    best.append((length + 1, best[-1][1]))
    axes.step([x for x, _ in best], [v for _, v in best], where="post", color=VERDICTS["supported"][0], linewidth=1.4,
              label="best candidate so far, mean over its seeds")  # fmt: skip
    lost = [x for x, v in enumerate(shown["values"], start=1) if v is None]
    if lost:
        axes.plot(lost, [0.03] * len(lost), "x", color=VERDICTS["refuted"][0], markersize=3.5, markeredgewidth=0.9,
                  transform=axes.get_xaxis_transform(), label="no score")  # fmt: skip
    values = [v for _, v in scored]
    if min(values) > 0 and max(values) > 30 * min(values):
        _logarithmic(axes)
    axes.set_xlim(0, length + 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("Execution of the search, in order")
    sense = "higher is better" if shown["maximize"] else "lower is better"
    below = (f"({metric.unit})",) if metric.unit else ()
    axes.set_ylabel("\n".join((*textwrap.wrap(metric.title, 34), *below, sense)))
    figure.legend(loc="outside upper center", ncols=4, handlelength=1.6, columnspacing=1.4, borderaxespad=0)
    return figure


def _logarithmic(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    axes.set_yscale("log")
    # The stock formatter writes TeX, which is off so that no title can be read as TeX.
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power(value)))
    axes.yaxis.set_minor_locator(NullLocator())


FLOOR = 1e-4


def _evidence(shown: Series, metric: Metric) -> Figure:
    """Each plan's e-value times its level as pairs come in: the threshold of every plan is the line at one."""
    del metric
    figure, axes = _axes(2.1)
    _logarithmic(axes)
    axes.axhline(1, color=INK, linewidth=0.7, linestyle=(0, (4, 2)))
    axes.annotate("threshold", (0, 1), xycoords=("axes fraction", "data"), xytext=(3, 2.5),
                  textcoords="offset points", color=INK)  # fmt: skip
    ends: dict[int, list[tuple[float, str, str]]] = {}
    for plan in shown["plans"]:
        colour, marker = VERDICTS[plan["verdict"]]
        values = [max(value, FLOOR) for value in plan["relative"]]
        axes.plot(range(len(values)), values, color=colour, linewidth=1.1, alpha=0.9)
        looks = [n for n in plan["looks"] if n < len(values)]
        axes.plot(looks, [values[n] for n in looks], marker, color=colour, markersize=4.2,
                  markeredgecolor="white", markeredgewidth=0.4, linestyle="none")  # fmt: skip
        ends.setdefault(len(values) - 1, []).append((values[-1], plan["claim"], colour))
    low, high = axes.get_ylim()
    gap = (high / low) ** 0.07
    for n, labels in ends.items():
        _labels(axes, n, sorted(labels), gap)
    axes.margins(x=0.04)
    axes.set_xlabel("Pairs of executions")
    axes.set_ylabel("E-value × level")
    return figure


def _labels(axes: Axes, n: int, labels: Sequence[tuple[float, str, str]], gap: float) -> None:
    """Names at the ends of lines, from the lowest up, each at least a line's height above the one before."""
    height = 0.0
    for value, name, colour in labels:
        height = max(value, height * gap)
        axes.annotate(
            name, (n, height), xytext=(5, -2.5), textcoords="offset points", color=colour, annotation_clip=False
        )
