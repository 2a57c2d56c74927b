// Signing out takes what this browser kept for the person with it.
import { forgetOldShared, forgetShared } from "./shared.js";
import { forgetAll as forgetUnsent, forgetOthers } from "./unsent.js";

function forgetAll() {
  forgetUnsent();
  forgetShared();
}

const { user, signOut } = document.body.dataset;

// Whoever was signed out for being away too long comes to the sign-in page, and may go on after it.
const isSigningIn = new URLSearchParams(location.search).has("next");
// Pages of errors, and those that answer a form of another site, do not say who they are for.
if (user === "" && !isSigningIn) forgetAll();
else forgetOldShared();
if (user) forgetOthers(user);

for (const form of document.querySelectorAll(`form[action="${signOut}"]`)) {
  form.addEventListener("submit", forgetAll);
}

// The tabs of a browser share its session: one that shows somebody else's page shows it no longer.
const WHO = "visage-user";
if (user !== undefined) {
  addEventListener("storage", ({ key, newValue }) => {
    if (key === WHO && newValue !== null && newValue !== user) location.replace(location.pathname + location.search);
  });
  try {
    localStorage.setItem(WHO, user);
  } catch {
    // Nothing may be stored here; pages are loaded anew by their own people.
  }
}
