// Ends the session here, then the provider's.

import { call } from "./api.js";

const button = document.getElementById("sign-out");
button.addEventListener("click", async () => {
  try {
    const { next } = await call("POST", "/logout");
    location.assign(next);
  } catch (error) {
    button.textContent = "Sign out again";
    button.title = `You are still signed in: ${error.message}`;
  }
});
