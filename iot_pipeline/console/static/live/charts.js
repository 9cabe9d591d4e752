// The readings of the chosen devices: a chart a metric, a line a device, drawn by uPlot at most twice a second.

import { element, number } from "../shared/format.js";

const WINDOW_MS = 10 * 60 * 1000;
const MAX_POINTS = 2000;
const COLOURS = ["#0a6ed1", "#d1620a", "#1a8f5a", "#b5179e", "#8a6d00", "#0096a8", "#d11f3a", "#6a4fd1", "#5c7a00", "#a8570a", "#008f8f", "#7a3b69"];

export class Charts {
  constructor(root) {
    this.root = root;
    this.metrics = [];
    this.chosen = [];
    this.series = new Map();
    this.plots = new Map();
  }

  colour(device) {
    return COLOURS[this.chosen.indexOf(device) % COLOURS.length];
  }

  choose(devices) {
    this.chosen = devices;
    for (const device of [...this.series.keys()]) if (!devices.includes(device)) this.series.delete(device);
    this.clear();
  }

  clear() {
    for (const { plot } of this.plots.values()) plot.destroy();
    this.plots.clear();
    this.root.replaceChildren();
  }

  // A reading is known by its time and number, so that one that comes twice is drawn once.
  add(readings) {
    for (const [device, rows] of Object.entries(readings)) {
      if (!this.chosen.includes(device)) continue;
      const known = this.series.get(device) ?? new Map();
      for (const [at, seq, values] of rows) known.set(`${at} ${seq}`, { at, values });
      this.series.set(device, known);
    }
  }

  draw(now) {
    for (const known of this.series.values()) {
      for (const [key, reading] of known) if (now - reading.at > WINDOW_MS) known.delete(key);
      while (known.size > MAX_POINTS) known.delete(known.keys().next().value);
    }
    this.metrics.forEach((metric, place) => {
      const lines = this.chosen.map((device) => [device, this.line(device, place)]);
      if (lines.some(([, line]) => line.length)) this.plot(metric, lines, now);
    });
  }

  line(device, place) {
    const readings = [...(this.series.get(device)?.values() ?? [])].filter((reading) => reading.values[place] !== null);
    return readings.sort((one, other) => one.at - other.at).map((reading) => [reading.at / 1000, reading.values[place]]);
  }

  plot(metric, lines, now) {
    const tables = lines.map(([, line]) => [line.map(([at]) => at), line.map(([, value]) => value)]);
    const data = uPlot.join(tables);
    const range = [(now - WINDOW_MS) / 1000, now / 1000];
    const held = this.plots.get(metric.name);
    if (held) {
      held.range = range;
      held.plot.setData(data);
      return;
    }
    const box = element("div", { class: "chart", "data-metric": metric.name }, element("h3", {}, `${metric.name}, ${metric.unit}`));
    this.root.append(box);
    const style = getComputedStyle(document.body);
    const entry = { range, plot: null };
    const axis = { stroke: style.color, grid: { stroke: style.getPropertyValue("--line") } };
    entry.plot = new uPlot(
      {
        width: box.clientWidth,
        height: 170,
        legend: { live: true },
        scales: { x: { range: () => entry.range } },
        axes: [{ ...axis, values: (_, ticks) => ticks.map((at) => new Date(at * 1e3).toISOString().slice(11, 16)), incrs: [60, 120, 300] }, { ...axis, size: 60 }],
        series: [
          { label: "UTC", value: (_, at) => (at === null ? "–" : new Date(at * 1e3).toISOString().slice(11, 19)) },
          ...lines.map(([device]) => ({ label: device, stroke: this.colour(device), width: 1.5, spanGaps: true, value: (_, value) => number(value) })),
        ],
      },
      data,
      box,
    );
    this.plots.set(metric.name, entry);
  }

  resize() {
    for (const { plot } of this.plots.values()) plot.setSize({ width: plot.root.parentElement.clientWidth, height: 170 });
  }
}
