/** Draws each figure's data; what the table under it says. */
/* global uPlot */
const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map();

const colorOf = (name) => {
  const probe = document.createElement("i");
  probe.className = "probe";
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
};

const count = new Intl.NumberFormat(undefined, { notation: "compact" });
const exact = new Intl.NumberFormat();
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const formats = {
  count: (value) => count.format(value),
  percent: (value) => percent.format(value),
  p: (value) => (value >= 0.001 ? String(+value.toPrecision(2)) : value.toExponential(0)),
};
/** As far down as an axis is worth its room. */
const leastP = 1e-12;
/** From 1 down: the lines between them would hide the curve. */
const powersOfTen = (low) => Array.from({ length: Math.floor(-Math.log10(low)) + 1 }, (_, power) => 10 ** -power);

/** Vertical lines where something was changed, and the line below which something is wrong. */
function marksOf({ marks, threshold }, color) {
  return ({ ctx, bbox, scales, valToPos }) => {
    ctx.save();
    ctx.strokeStyle = color;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    const line = (...points) => {
      ctx.beginPath();
      ctx.moveTo(points[0], points[1]);
      ctx.lineTo(points[2], points[3]);
      ctx.stroke();
    };
    for (const { at } of marks) {
      if (at < scales.x.min || at > scales.x.max) continue;
      const x = Math.round(valToPos(at, "x", true));
      line(x, bbox.top, x, bbox.top + bbox.height);
    }
    if (threshold !== undefined && threshold >= scales.y.min && threshold <= scales.y.max) {
      const y = Math.round(valToPos(threshold, "y", true));
      line(bbox.left, y, bbox.left + bbox.width, y);
    }
    ctx.restore();
  };
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** The hour, and the day where it is another than before. */
function timeText(tick, before, step) {
  const date = day.format(tick * 1000);
  if (step >= 86_400) return date;
  const isNew = before === undefined || day.format(before * 1000) !== date;
  return clock.format(tick * 1000) + (isNew ? `\n${date}` : "");
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** What the lines say where the pointer is. */
function readoutOf(figure, { at, lines, marks }, format) {
  const readout = figure.querySelector(".readout");
  return ({ cursor: { idx } }) => {
    if (idx === null || idx === undefined) {
      readout.textContent = "";
      return;
    }
    const said = lines.flatMap(({ label, values }) => (values[idx] === null ? [] : `${label} ${format(values[idx])}`));
    const changed = marks
      .filter((mark) => mark.at <= at[idx] && mark.at > (at[idx - 1] ?? 0))
      .map(({ label }) => label);
    readout.textContent = [moment.format(at[idx] * 1000), ...said, ...changed].join(" · ");
  };
}

function draw(figure) {
  const data = JSON.parse(figure.dataset.plot);
  const place = figure.querySelector(".canvas");
  const format = formats[data.unit];
  const [ink, line, edge] = ["--quiet", "--line", "--edge"].map(colorOf);
  const axis = {
    stroke: ink,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1 },
    font: "12px system-ui, sans-serif",
  };
  const isP = data.unit === "p";
  const options = {
    width: place.clientWidth,
    height: place.clientHeight,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: {
      y: isP
        ? { distr: 3, range: (_, low) => [Math.max(leastP, Math.min(low, 0.005)), 1] }
        : data.unit === "count"
          ? { range: (_, __, high) => [0, Math.max(1, high * 1.05)] }
          : {},
    },
    axes: [
      {
        ...axis,
        values: (_, ticks, __, ___, step) => ticks.map((tick, place) => timeText(tick, ticks[place - 1], step)),
      },
      {
        ...axis,
        size: 62,
        values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : format(tick))),
        ...(isP ? { splits: (_, __, low) => powersOfTen(low) } : {}),
      },
    ],
    series: [
      {},
      ...data.lines.map(({ label, tone, isDashed }) => ({
        label,
        stroke: colorOf(`--tone-${tone % 8}`),
        width: isDashed ? 1.5 : 2,
        points: { show: false },
        value: (_, value) => (value === null || value === undefined ? "–" : format(value)),
        ...(isDashed ? { dash: [6, 4] } : {}),
      })),
    ],
    hooks: {
      draw: [marksOf(data, edge)],
      setCursor: [readoutOf(figure, data, data.unit === "count" ? exact.format : format)],
    },
  };
  const values = data.lines.map((one) =>
    isP ? one.values.map((p) => (p === null ? p : Math.max(leastP, p))) : one.values,
  );
  drawn.get(figure)?.destroy();
  drawn.set(figure, new uPlot(options, [data.at, ...values], place));
}

const figures = [...document.querySelectorAll("[data-plot]")];
for (const figure of figures) draw(figure);
dark.addEventListener("change", () => figures.forEach(draw));
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  figures.forEach(draw);
});
