// What is known of each tile, drawn: a function a tile, from its data to elements.

import { ago, element, number, utc } from "../shared/format.js";

const table = (heads, rows) =>
  element("div", { class: "scroll", tabindex: "0" }, element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))), element("tbody", {}, ...rows)));
const row = (...cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell instanceof Node ? cell : String(cell ?? "–"))));
const empty = (words) => [element("p", { class: "empty" }, words)];
const badge = (state, words = state) => element("span", { class: "badge", "data-state": state }, words);
const hourOf = (iso) => iso.slice(0, 13);
const since = (iso) => ago(Date.parse(iso), Date.now());
const STATES = { balanced: "ok", built: "ok", empty: "quiet", behind: "warning", missing: "warning", unbalanced: "critical", unknown: "unknown" };

// Hours of some days: a row a day, a column an hour of UTC. A button an hour where there is something to open.
function heat(hours, stateOf, describe, open) {
  const days = Map.groupBy(hours, (hour) => hour.hour.slice(0, 10));
  const rows = [...days].sort().map(([day, cells]) => {
    const byHour = new Map(cells.map((cell) => [Number(cell.hour.slice(11, 13)), cell]));
    const columns = Array.from({ length: 24 }, (_, hour) => {
      const cell = byHour.get(hour);
      if (!cell) return element("td");
      const words = `${hourOf(cell.hour)} UTC: ${describe(cell)}`;
      const state = cell.recent && stateOf(cell) === "warning" ? "quiet" : stateOf(cell);
      const mark = open
        ? element("button", { type: "button", class: "heat", "data-state": state, title: words, "aria-label": words, onclick: () => open(hourOf(cell.hour)) })
        : element("span", { class: "heat", "data-state": state, title: words, role: "img", "aria-label": words });
      return element("td", {}, mark);
    });
    return element("tr", {}, element("th", { scope: "row" }, day), ...columns);
  });
  const heads = Array.from({ length: 24 }, (_, hour) => element("th", { scope: "col" }, hour % 6 ? "" : String(hour).padStart(2, "0")));
  return element("div", { class: "scroll", tabindex: "0" }, element("table", { class: "heatmap" }, element("thead", {}, element("tr", {}, element("th"), ...heads)), element("tbody", {}, ...rows)));
}

function bars(values, describe) {
  const greatest = Math.max(...values.map(([, value]) => value), 1e-12);
  return element("ul", { class: "bars" }, ...values.map(([name, value]) => {
    const bar = element("i");
    bar.style.width = `${(100 * value) / greatest}%`;
    return element("li", {}, element("span", {}, name), bar, element("b", {}, describe(value)));
  }));
}

export const drawings = {
  lag: ({ sites, strangers }) => [
    table(["Site", "Last arrival", "Lag"], sites.map((site) => row(`${site.tenant} / ${site.site}`, site.last_received ? utc(Date.parse(site.last_received)) : "never", site.lag_s === null ? badge("warning", site.standing) : ago(0, site.lag_s * 1000)))),
    ...(strangers.length ? [element("h3", {}, "Names that no site of the registry has"), table(["Name", "Readings"], strangers.map((each) => row(`${each.tenant} / ${each.site}`, number(each.readings))))] : []),
  ],
  edge: ({ waiting_ms: waiting, last_hour: hour }) => [
    element("p", {}, `waiting: ${number(waiting)} ms`),
    ...(hour.length ? [table(["Until", "p50", "p99", "greatest"], hour.slice(-6).reverse().map((each) => row(each.at.slice(11, 16), `${number(each.p50_ms)} ms`, `${number(each.p99_ms)} ms`, `${number(each.greatest_ms)} ms`)))] : []),
  ],
  alerts: ({ open }) =>
    open.length ? [table(["Severity", "What", "Since"], open.map((each) => row(badge(each.severity), each.about || each.rule, since(each.opened_at))))] : empty("No open alerts of the pipeline."),
  runs: ({ last, failed, waiting, backfills, daemons }) => [
    element("p", {}, `${waiting.length} waiting, ${backfills.length} backfills; daemon: ${daemons.filter((each) => !each.healthy).map((each) => each.name).join(", ") || "well"}`),
    ...(failed.length ? [element("h3", {}, "Failed"), runTable(failed)] : []),
    element("h3", {}, "Last"),
    last.length ? runTable(last.slice(0, 6)) : empty("No runs yet.")[0],
  ],
  arrivals: ({ hours }, { showBooks }) => [heat(hours, (cell) => STATES[cell.balance], (cell) => `${cell.balance}, received ${number(cell.received)} = ${number(cell.valid)} valid + ${number(cell.quarantined)} quarantined`, showBooks)],
  events: ({ hours }, { showBooks }) => [heat(hours, (cell) => STATES[cell.balance], (cell) => `${cell.balance}, valid ${number(cell.valid)} = ${number(cell.rows)} rows + ${number(cell.duplicates)} duplicates + ${number(cell.conflicts)} conflicts`, showBooks)],
  partitions: ({ hours, days, stale_days: stale, view_stands: stands }) => {
    const zones = ["raw", "judged", "quarantined", "curated"];
    const worst = (cell) => zones.map((zone) => STATES[cell[zone]]).sort((one, other) => ["quiet", "ok", "warning"].indexOf(other) - ["quiet", "ok", "warning"].indexOf(one))[0];
    return [
      heat(hours, worst, (cell) => zones.map((zone) => `${zone} ${cell[zone]}`).join(", ")),
      element("p", {}, `${stale} of all days stale; people's view ${stands ? "stands" : "is not as it should be"}`),
      ...(days.some((day) => ["missing", "behind"].includes(day.daily)) ? [table(["Day", "Compacted"], days.filter((day) => ["missing", "behind"].includes(day.daily)).map((day) => row(day.day.slice(0, 10), day.daily)))] : []),
    ];
  },
  warehouse: ({ hours }) => [heat(hours, (cell) => (STATES[cell.loaded] === "warning" || STATES[cell.facts] === "warning" ? "warning" : STATES[cell.loaded]), (cell) => `loaded ${cell.loaded}, facts ${cell.facts}, ${number(cell.rows)} rows`)],
  quarantine: ({ readings, quarantined, reasons, firmwares }) => {
    const names = Object.keys(reasons);
    if (!names.length) return empty(`Nothing of ${number(readings)} readings was quarantined.`);
    return [
      element("p", {}, `${number(quarantined)} of ${number(readings)} readings`),
      bars(Object.entries(reasons), number),
      table(["Firmware", "Readings", "Quarantined"], firmwares.slice(0, 8).map((each) => row(each.firmware ?? "not told", number(each.readings), number(each.quarantined)))),
    ];
  },
  dead_letters: ({ counts }) => [table(["Where", "Letters"], Object.entries(counts).map(([name, count]) => row(name, number(count))))],
  spending: ({ days, budget_dollars: budget, forecast_dollars: forecast }) => [
    bars(days.filter((day) => day.dollars !== null).map((day) => [day.day, day.dollars]), (dollars) => `$${dollars.toFixed(4)}`),
    element("p", {}, `${budget ? `budget $${budget} a day` : "no budget is set"}${forecast === null ? "" : `, forecast for today $${forecast.toFixed(4)}`}`),
    table(["Workgroup", "Today", "Bytes", "Queries"], (days[0]?.groups ?? []).map((group) => row(group.workgroup, `$${group.dollars.toFixed(4)}`, number(group.scanned_bytes), number(group.queries)))),
  ],
};

function runTable(runs) {
  const states = { success: "ok", failure: "critical", canceled: "warning" };
  return table(["Job", "Partition", "Status", "Began"], runs.map((run) => row(run.job, run.partition, badge(states[run.status] ?? "unknown", run.status), run.started_at ? since(run.started_at) : "–")));
}
