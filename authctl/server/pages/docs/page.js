// Starts Swagger UI on the description of this service; whoever is signed in on the demo page is signed in here.
"use strict";

const SCHEME = "bearer"; // the name of the security scheme in the description
const MESSAGES = {
  none: "For what wants a login, log in on the demo page or give a token to Authorize.",
  expired: "Your session on the demo page has expired: log in there again.",
};

followColours();

const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  filter: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null, // nobody elsewhere is asked what they think of this description
  onComplete: signIn,
});

// A page that comes back by the back button remembers a token that may be gone since.
addEventListener("pageshow", (event) => event.persisted && location.reload());

/** Light or dark as the person's system is, also when that changes. */
function followColours() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();
}

/** Gives Swagger UI the token of the demo page, when this tab has one that still counts. */
function signIn() {
  const token = storedToken();
  const claims = claimsOf(token);
  if (typeof claims?.exp !== "number") {
    say(MESSAGES.none);
  } else if (claims.exp * 1000 <= Date.now()) {
    say(MESSAGES.expired);
  } else {
    ui.preauthorizeApiKey(SCHEME, token);
    const until = new Date(claims.exp * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    say(`Signed in as ${claims.email} (${claims.role}) until ${until}, with the token of the demo page.`);
  }
}

/** The token of the demo page; empty without one, and where the browser keeps pages from storing anything. */
function storedToken() {
  try {
    return sessionStorage.getItem("webauthn_jwt") ?? "";
  } catch {
    return "";
  }
}

/** What a token says, for display alone; null when it is none. */
function claimsOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

function say(text) {
  document.getElementById("session").textContent = text;
}
