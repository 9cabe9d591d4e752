// Sites on an outline of the land: the picture is the service's own, no tile comes from a network.


const WORST = ["ok", "quiet", "warning", "critical"];
const SVG = "http://www.w3.org/2000/svg";

export class SiteMap {
  constructor(root) {
    this.root = root;
    this.circles = new Map();
  }

  async place(sites) {
    const answer = await fetch("/static/world.svg");
    const drawn = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
    this.root.replaceChildren(document.importNode(drawn, true));
    const svg = this.root.querySelector("svg");
    const placed = sites.filter((site) => site.lat !== null && site.lon !== null);
    if (placed.length) svg.setAttribute("viewBox", frame(placed));
    const size = Number(svg.getAttribute("viewBox").split(" ")[2]) / 80;
    for (const site of placed) {
      const circle = document.createElementNS(SVG, "circle");
      circle.setAttribute("cx", site.lon + 180);
      circle.setAttribute("cy", 90 - site.lat);
      circle.setAttribute("r", size);
      circle.append(title(`${site.tenant} / ${site.name ?? site.site}`));
      svg.append(circle);
      this.circles.set(JSON.stringify([site.tenant, site.site]), circle);
    }
    const note = document.getElementById("map-note");
    note.hidden = placed.length > 0;
    note.textContent = "No site has a position: give it lat and lon in the registry's catalog.";
  }

  draw(devices) {
    const worst = new Map();
    for (const device of devices) {
      const key = JSON.stringify([device.tenant, device.site]);
      worst.set(key, Math.max(worst.get(key) ?? 0, WORST.indexOf(device.state)));
    }
    for (const [key, circle] of this.circles) {
      const state = worst.has(key) ? WORST[worst.get(key)] : "quiet";
      if (circle.dataset.state !== state) circle.dataset.state = state;
    }
  }
}

function title(text) {
  const made = document.createElementNS(SVG, "title");
  made.textContent = text;
  return made;
}

// The part of the world where the sites are, twice as wide as high, with some land around it.
function frame(sites) {
  const xs = sites.map((site) => site.lon + 180);
  const ys = sites.map((site) => 90 - site.lat);
  const width = Math.min(360, Math.max(24, (Math.max(...xs) - Math.min(...xs)) * 1.4, (Math.max(...ys) - Math.min(...ys)) * 2.8));
  const left = Math.min(Math.max((Math.max(...xs) + Math.min(...xs)) / 2 - width / 2, 0), 360 - width);
  const top = Math.min(Math.max((Math.max(...ys) + Math.min(...ys)) / 2 - width / 4, 0), 180 - width / 2);
  return `${left} ${top} ${width} ${width / 2}`;
}
