// The live page: one stream, and what is drawn of it.

import { call } from "../shared/api.js";
import { element, number } from "../shared/format.js";
import { Alerts } from "./alerts.js";
import { Charts } from "./charts.js";
import { Fleet } from "./fleet.js";
import { SiteMap } from "./map.js";
import { Stream } from "./stream.js";

const MAX_CHOSEN = 12;
const DRAW_MS = 500;
const show = (id, text) => {
  const found = document.getElementById(id);
  if (found.textContent !== text) found.textContent = text;
};

const zones = new Map();
const chosen = new Set();
const alerts = new Alerts();
const charts = new Charts(document.getElementById("charts"));
const fleet = new Fleet(document.getElementById("sites"), toggle);
const map = new SiteMap(document.getElementById("map"));
let layout = { devices: [], metrics: [] };
let skew = 0;
let status = null;
let connected = false;
let dirty = true;

const stream = new Stream({
  connected: (now) => {
    if (now === connected) return;
    connected = now;
    dirty = true;
  },
  snapshot: (given) => {
    skew = given.now_ms - Date.now();
    charts.metrics = ordered(given.metrics);
    charts.places = charts.metrics.map((metric) => given.metrics.indexOf(metric));
    fleet.replace(given.metrics, given.devices);
    alerts.replace(given.alerts);
    charts.add(inOrder(given.readings));
    take(given.status);
    drawChosen();
  },
  devices: (rows) => { fleet.merge(rows); dirty = true; },
  readings: (rows) => { charts.add(inOrder(rows)); dirty = true; },
  alerts: (rows) => { alerts.merge(rows); dirty = true; },
  status: take,
});

// The metrics that the layout names first come first.
function ordered(metrics) {
  const place = (metric) => (layout.metrics.indexOf(metric.name) + 1 || layout.metrics.length + 1);
  return [...metrics].sort((one, other) => place(one) - place(other));
}

function inOrder(readings) {
  const sorted = {};
  for (const [device, rows] of Object.entries(readings)) {
    sorted[device] = rows.map(([at, seq, values]) => [at, seq, charts.places.map((place) => values[place])]);
  }
  return sorted;
}

function take(given) {
  status = given;
  skew = given.now_ms - Date.now();
  dirty = true;
}

function toggle(device) {
  if (chosen.has(device)) chosen.delete(device);
  else if (chosen.size < MAX_CHOSEN) chosen.add(device);
  else {
    tell(`At most ${MAX_CHOSEN} devices are drawn: take one away first.`);
    return;
  }
  tell("");
  reopen();
  call("PUT", "/api/layout", { devices: [...chosen], metrics: layout.metrics }).catch((error) => tell(`The choice is not kept: ${error.message}`));
}

// What went wrong with the choice of devices, beside them.
function tell(words) {
  show("choice", words);
  document.getElementById("choice").hidden = words === "";
}

function reopen() {
  charts.choose([...chosen]);
  document.getElementById("no-chosen").hidden = chosen.size > 0;
  drawChosen();
  stream.open([...chosen]);
}

// The chosen devices with their latest values, each with the colour of its lines.
function drawChosen() {
  const root = document.getElementById("chosen");
  if (!chosen.size || !charts.metrics.length) {
    root.replaceChildren();
    return;
  }
  const head = ["Device", ...charts.metrics.map((metric) => `${metric.name}, ${metric.unit}`), ""];
  const rows = [...chosen].map((device) => {
    const mark = element("i", { class: "mark" });
    mark.style.background = charts.colour(device);
    const link = element("a", { href: `/devices/${encodeURIComponent(device)}` }, device);
    const remove = element("button", { type: "button", class: "quiet", "aria-label": `Do not draw ${device}`, onclick: () => toggle(device) }, "×");
    const values = charts.metrics.map((metric) => element("td", { class: "number", "data-value": metric.name }));
    return element("tr", { "data-device": device }, element("th", { scope: "row" }, mark, link), ...values, element("td", {}, remove));
  });
  root.replaceChildren(element("table", {}, element("thead", {}, element("tr", {}, ...head.map((words) => element("th", { scope: "col" }, words)))), element("tbody", {}, ...rows)));
  fillChosen();
}

function fillChosen() {
  for (const row of document.querySelectorAll("#chosen tr[data-device]")) {
    const latest = fleet.devices.get(row.dataset.device)?.latest ?? [];
    charts.metrics.forEach((metric, place) => {
      const words = number(latest[charts.places[place]]?.[0]);
      const cell = row.cells[place + 1];
      if (cell.textContent !== words) cell.textContent = words;
    });
  }
}

function verdict(heard) {
  const title = document.getElementById("verdict");
  const { critical, all } = alerts.counts();
  const devices = `${heard} of ${fleet.devices.size} devices reporting`;
  let state = "ok";
  let words = `All is well: ${devices}, no open alerts.`;
  if (!connected || !status) {
    state = "unknown";
    words = status ? "Not connected: what is shown may be old." : "Connecting …";
  } else if (critical) {
    state = "critical";
    words = `${critical} critical ${critical === 1 ? "alert" : "alerts"}, ${all} open; ${devices}.`;
  } else if (all || heard < fleet.devices.size) {
    state = "warning";
    words = `${all} open ${all === 1 ? "alert" : "alerts"}, none critical; ${devices}.`;
  }
  if (title.dataset.state !== state) title.dataset.state = state;
  show("verdict", words);
}

function draw() {
  if (!dirty || document.hidden) return;
  dirty = false;
  const now = Date.now() + skew;
  const heard = fleet.draw(alerts.severities(), chosen, now, zones);
  verdict(heard);
  alerts.draw(now, zones);
  map.draw(fleet.devices.values());
  charts.draw(now);
  fillChosen();
  document.getElementById("no-devices").hidden = fleet.devices.size > 0;
  if (!status) return;
  show("heard", `${number(heard)} / ${number(fleet.devices.size)}`);
  for (const name of ["messages", "readings", "refused", "missed"]) show(name, number(status[name]));
  show("behind", status.behind_ms < 1000 ? "< 1 s" : `${number(Math.round(status.behind_ms / 1000))} s`);
  const notice = document.getElementById("connection");
  const words = connected ? status.trouble.join("; ") : "The connection is gone; it is tried again by itself.";
  notice.hidden = words === "";
  if (notice.textContent !== words) notice.textContent = words;
}

async function begin() {
  const [held, sites] = await Promise.allSettled([call("GET", "/api/layout"), call("GET", "/api/sites")]);
  if (held.status === "fulfilled") layout = held.value;
  for (const device of layout.devices) chosen.add(device);
  reopen();
  if (sites.status === "fulfilled") {
    for (const site of sites.value) zones.set(JSON.stringify([site.tenant, site.site]), site.timezone);
    await map.place(sites.value);
  } else {
    document.getElementById("map-note").hidden = false;
    show("map-note", `No map: ${sites.reason.message}`);
  }
  dirty = true;
}

setInterval(() => requestAnimationFrame(draw), DRAW_MS);
addEventListener("resize", () => charts.resize());
begin();
