// Ends the session here, then the provider's.

import { call } from "./api.js";

document.getElementById("sign-out").addEventListener("click", async () => {
  const { next } = await call("POST", "/logout");
  location.assign(next);
});
