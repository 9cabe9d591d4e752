// Pipeline health: a tile a question. A tile whose dependency is down says so, and shows what was known before.

import { call } from "../shared/api.js";
import { ago, element, number, utc } from "../shared/format.js";
import { showBooks } from "./books.js";
import { drawings } from "./drawings.js";

const EVERY_MS = 5000;
const WORDS = { ok: "The pipeline is well.", warning: "The pipeline needs a look.", critical: "The pipeline has failed somewhere.", unknown: "Not everything is known." };
const tiles = new Map();
const root = document.getElementById("tiles");

function tile(name) {
  if (!tiles.has(name)) {
    const badge = element("span", { class: "badge" });
    const title = element("h2");
    const link = element("a", { hidden: "", target: "_blank", rel: "noopener" }, "Act in Dagster");
    const sentence = element("p", { class: "sentence" });
    const failure = element("p", { class: "notice", hidden: "" });
    const body = element("div", { class: "body" });
    const age = element("small", { class: "age" });
    const section = element("section", { class: "tile", "data-tile": name }, element("div", { class: "head" }, title, badge, link), sentence, failure, body, age);
    root.append(section);
    tiles.set(name, { section, badge, title, link, sentence, failure, body, age, drawn: null });
  }
  return tiles.get(name);
}

function draw(view) {
  const made = tile(view.name);
  made.title.textContent = view.title;
  made.badge.textContent = view.state;
  made.badge.dataset.state = view.state;
  made.link.hidden = !view.link;
  if (view.link) made.link.href = view.link;
  made.section.toggleAttribute("data-stale", view.stale);
  made.sentence.textContent = view.known ? view.known.sentence : view.failure ? "Nothing is known yet." : "Being looked at for the first time …";
  made.failure.hidden = !view.failure;
  if (view.failure) made.failure.textContent = `${view.failure.dependency} has not answered since ${utc(Date.parse(view.failure.since))}: ${view.failure.reason}`;
  made.age.textContent = view.known ? `as of ${utc(Date.parse(view.known.at))}${view.stale ? `, ${ago(0, view.known.age_s * 1000)} old` : ""}` : "";
  const text = JSON.stringify(view.known?.data ?? null);
  if (text === made.drawn) return;
  made.drawn = text;
  made.body.replaceChildren(...(view.known ? drawings[view.name]?.(view.known.data, { showBooks }) ?? [] : []));
}

async function look() {
  const notice = document.getElementById("connection");
  const verdict = document.getElementById("verdict");
  try {
    const health = await call("GET", "/api/health");
    notice.hidden = true;
    verdict.dataset.state = health.state;
    const bad = health.tiles.filter((each) => each.state === health.state && health.state !== "ok").map((each) => each.title);
    verdict.textContent = WORDS[health.state] + (bad.length ? ` ${bad.join(", ")}.` : "");
    health.tiles.forEach(draw);
    const cost = health.athena;
    document.getElementById("cost").textContent =
      `This page's own queries since ${utc(Date.parse(cost.since))}: ${number(cost.queries)}, ${number(cost.scanned_bytes)} bytes, $${cost.dollars.toFixed(4)}.`;
  } catch (error) {
    verdict.dataset.state = "unknown";
    verdict.textContent = "The service does not answer: what is shown may be old.";
    notice.hidden = false;
    notice.textContent = error.message;
  }
}

setInterval(() => { if (!document.hidden) look(); }, EVERY_MS);
look();
