// Starts Swagger UI on the description of this service; whoever is signed in on the demo page is signed in here.
"use strict";

const SCHEME = "bearer"; // the name of the security scheme in the description
const KEPT = ["webauthn_jwt", "webauthn_user_id"]; // where the demo page keeps its session
const LONGEST_WAIT = 2 ** 31 - 1; // of a timer of the browser's
const FROM = { page: "of the demo page", person: "that was given to Authorize" };
const MESSAGES = {
  none: "For what wants a login, log in on the demo page or give a token to Authorize.",
  expired: (from) => `The token ${from} has expired: log in again on the demo page, or give another one to Authorize.`,
  foreign: "What was given to Authorize is no access token of this service; calls will be refused.",
  loggedOut: "Calls are sent without a token now. On the demo page you are logged in as before.",
  elsewhere: "You have logged out on the demo page. For what wants a login, log in there again.",
};
/** What Swagger UI leaves without a name, or names otherwise than it reads: a selector, and the name. */
const NAMES = [
  [".examples-select-element", () => "Example"],
  [".body-param__text", () => "Request body"],
  [".operation-filter-input", () => "Filter by tag or path"],
  [".parameters tr[data-param-name] :is(input, select, textarea)", (field) => field.closest("tr").dataset.paramName],
  ["#auth-bearer-value", () => "Access token"],
  [".close-modal", () => "Close"],
  [".auth-btn-wrapper button", (button) => button.textContent],
  [".modal-ux", () => "Available authorizations"],
];

let current = null; // the token that calls carry, where it comes from, and what it says
let timer = 0;
let opener = null; // what had the focus before the dialog

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
  plugins: [followToken],
  onComplete: signIn,
});

new MutationObserver(mend).observe(document.getElementById("api"), { childList: true, subtree: true });
new BroadcastChannel("authctl").addEventListener("message", ({ data }) => hear(data));
addEventListener("keydown", (event) => event.key === "Escape" && document.querySelector(".close-modal")?.click());
// A page that comes back by the back button remembers a token that may be gone since.
addEventListener("pageshow", (event) => event.persisted && location.reload());

/** Light or dark as the person's system is, also when that changes. */
function followColours() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();
}

// --- the token

/** Gives Swagger UI the token of the demo page, when this tab has one. */
function signIn() {
  const token = storedToken();
  const claims = claimsOf(token);
  if (claims === null) {
    say(MESSAGES.none);
  } else if (hasExpired(claims)) {
    say(MESSAGES.expired(FROM.page));
  } else {
    current = { token, claims, from: FROM.page };
    ui.preauthorizeApiKey(SCHEME, token);
    tell();
  }
}

/** A plugin of Swagger UI: what is said above is true of the token that its calls carry. */
function followToken() {
  const authorize = (original) => (given) => {
    const token = bare(given[SCHEME].value);
    const result = original({ ...given, [SCHEME]: { ...given[SCHEME], value: token } });
    if (token !== current?.token) current = { token, claims: claimsOf(token), from: FROM.person };
    tell();
    return result;
  };
  const logout = (original) => (names) => {
    const result = original(names);
    say(current?.from === FROM.page ? MESSAGES.loggedOut : MESSAGES.none);
    current = null;
    return result;
  };
  return { statePlugins: { auth: { wrapActions: { authorize, logout } } } };
}

/** A token as it is pasted: with the word before it, or with blanks around it. */
function bare(text) {
  return String(text ?? "").trim().replace(/^(authorization:\s*)?bearer\s+/i, "");
}

/** Says whose token calls carry, and says it again when the token's time is over. */
function tell() {
  clearTimeout(timer);
  if (current === null) return;
  const { claims, from } = current;
  if (claims === null) {
    say(MESSAGES.foreign);
  } else if (hasExpired(claims)) {
    say(MESSAGES.expired(from));
  } else {
    const until = new Date(claims.exp * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    say(`Signed in as ${claims.email} (${claims.role}) until ${until}, with the token ${from}.`);
    timer = setTimeout(tell, Math.min(claims.exp * 1000 - Date.now() + 500, LONGEST_WAIT));
  }
}

/** Another tab's demo page: who logs out there is logged out here, and in this tab's demo page. */
function hear(news) {
  if (news?.event !== "logged-out" || typeof news.userId !== "string") return;
  if (claimsOf(storedToken())?.sub === news.userId) KEPT.forEach((key) => sessionStorage.removeItem(key));
  if (current?.claims?.sub !== news.userId) return;
  ui.authActions.logout([SCHEME]);
  say(MESSAGES.elsewhere);
}

/** The token of the demo page; empty without one, and where the browser keeps pages from storing anything. */
function storedToken() {
  try {
    return sessionStorage.getItem(KEPT[0]) ?? "";
  } catch {
    return "";
  }
}

/** What a token says, for display alone; null when it is none. */
function claimsOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims?.exp === "number" ? claims : null;
  } catch {
    return null;
  }
}

function hasExpired(claims) {
  return claims.exp * 1000 <= Date.now();
}

function say(text) {
  document.getElementById("session").textContent = text;
}

// --- Swagger UI's markup

/** After each change: names for what has none, a dialog that is one, and a link that stays in the token's tab. */
function mend() {
  for (const [selector, name] of NAMES) {
    for (const element of document.querySelectorAll(`#api ${selector}`)) {
      const wanted = name(element);
      if (element.getAttribute("aria-label") !== wanted) element.setAttribute("aria-label", wanted);
    }
  }
  for (const link of document.querySelectorAll('#api a[href="./"][target]')) link.removeAttribute("target");
  // A link inside a button is none: one cannot get at it with the keyboard, nor with the mouse in every browser.
  for (const link of document.querySelectorAll("#api button a[href]")) link.removeAttribute("href");
  for (const answer of document.querySelectorAll("#api .live-responses-table .microlight")) answer.tabIndex = 0;
  mendDialog(document.querySelector("#api .modal-ux"));
}

/** The focus goes into the dialog, stays there when its content changes, and goes back to where it came from. */
function mendDialog(dialog) {
  if (dialog !== null) {
    opener ??= document.activeElement;
    dialog.setAttribute("role", "dialog");
    dialog.setAttribute("aria-modal", "true");
    if (!dialog.contains(document.activeElement)) dialog.querySelector("input, .auth-btn-wrapper button")?.focus();
  } else if (opener !== null) {
    const back = opener.isConnected && opener !== document.body ? opener : document.querySelector("#api .authorize");
    opener = null;
    back?.focus();
  }
}
