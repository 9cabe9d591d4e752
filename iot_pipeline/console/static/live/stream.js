// The tab's one stream. It connects again by itself after whatever cut it off, and then begins with a whole snapshot.

import { call } from "../shared/api.js";

const SILENT_MS = 5000;

export class Stream {
  constructor(handlers) {
    this.handlers = handlers;
    this.source = null;
    this.heard = performance.now();
    setInterval(() => this.watch(), 1000);
    document.addEventListener("visibilitychange", () => this.watch());
  }

  open(devices) {
    this.devices = devices;
    this.source?.close();
    this.source = new EventSource(`/api/live/stream?devices=${devices.map(encodeURIComponent).join(",")}`);
    this.heard = performance.now();
    for (const name of ["snapshot", "devices", "readings", "alerts", "status"]) {
      this.source.addEventListener(name, (event) => {
        this.heard = performance.now();
        this.handlers.connected(true);
        this.handlers[name](JSON.parse(event.data));
      });
    }
  }

  // A connection that died without a word (a sleeping laptop, a pulled cable) raises no error: what comes every second
  // does not come. After some errors, such as a proxy's 502, a browser does not connect again by itself.
  watch() {
    if (performance.now() - this.heard < SILENT_MS) return;
    this.handlers.connected(false);
    // Whoever is signed in no more is sent to sign in; a service that does not answer is asked again.
    call("GET", "/api/me").catch(() => {});
    if (this.source) this.open(this.devices);
  }
}
