// A device's values by metric: the mean of each bucket, and the band from its least to its greatest value.

import { element, number, utc } from "../shared/format.js";

export function drawSeries(root, note, found) {
  const seam = found.unknown_between;
  note.textContent = [
    found.curated_until ? `Curated up to ${utc(Date.parse(found.curated_until))}, ${number(found.live_newer)} newer readings are from the live stream.` : "Nothing is curated yet: what is shown is from the live stream.",
    seam ? `Between ${utc(Date.parse(seam[0]))} and ${utc(Date.parse(seam[1]))} readings may be missing.` : "",
    found.ahead ? `${number(found.ahead)} readings by a clock that is ahead are not drawn.` : "",
    "Mean, with least and greatest as a band.",
  ].filter(Boolean).join(" ");
  const style = getComputedStyle(document.body);
  const accent = style.getPropertyValue("--accent").trim();
  const axis = { stroke: style.color, grid: { stroke: style.getPropertyValue("--line") } };
  root.replaceChildren();
  for (const metric of found.series.filter((each) => each.points.length)) {
    const box = element("div", { class: "chart", "data-metric": metric.metric }, element("h3", {}, `${metric.metric}, ${metric.unit}`));
    root.append(box);
    const line = (name) => metric.points.map((point) => point[name]);
    const shown = { value: (_, value) => number(value) };
    new uPlot(
      {
        width: box.clientWidth,
        height: 170,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
        bands: [{ series: [2, 3], fill: `${accent}33` }],
        axes: [{ ...axis, values: (_, ticks) => ticks.map((tick) => new Date(tick * 1e3).toISOString().slice(11, 16)) }, { ...axis, size: 60 }],
        series: [
          { label: "UTC", value: (_, tick) => (tick === null ? "–" : new Date(tick * 1e3).toISOString().slice(5, 16).replace("T", " ")) },
          { label: "mean", stroke: accent, width: 1.5, ...shown },
          { label: "greatest", stroke: `${accent}55`, width: 1, points: { show: false }, ...shown },
          { label: "least", stroke: `${accent}55`, width: 1, points: { show: false }, ...shown },
        ],
      },
      [metric.points.map((point) => Date.parse(point.at) / 1000), line("mean"), line("max"), line("min")],
      box,
    );
  }
}
