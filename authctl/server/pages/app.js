// The demo page. What comes from the service or from people is only ever inserted as text.

const TOKEN = "webauthn_jwt", USER_ID = "webauthn_user_id";
const RENEW_AFTER = 4 * 60_000;   // a challenge lives five minutes
const FRESH = 210;                // seconds after a login in which there is time for a prompt before its five minutes end
const CHALLENGE_LIFE = 5 * 60_000;
const ANSWER_WITHIN = 20_000;
const LOW = 60;                   // seconds before the end at which the page says so, or a quarter of a short life

// What a person reads, by code: problems of the service by their slug, refusals of the browser, and what went well.
const SAID = {
  "ready": "One press is enough, or pick a passkey that your browser offers at the field.",
  "ready-plain": "One press and your passkey are enough. There is no password.",
  "ready-register": "Five fields, and your account comes with its first passkey.",
  "waiting": "Your browser asks you now. Confirm with your finger, your face or your PIN.",
  "registered": "Your account is ready. Log in with your new passkey.",
  "logged-in": "You are logged in.",
  "renewed": "You have logged in again, and your time starts anew.",
  "logged-out": "You are logged out. Nothing of your session is left here.",
  "logged-out-elsewhere": "You have logged out in another tab, and so here.",
  "session-ending": "Your session ends in {wait}. Choose “Log in again” to stay.",
  "session-expired": "Your session has ended. Log in again to go on.",
  "session-removed": "The passkey you were logged in with is removed, and its session with it. Log in with another one.",
  "login-too-old": "Your login is more than five minutes old. Confirm that it is you.",
  "passkey-added": "Your new passkey is ready: “{name}”.",
  "passkey-renamed": "The passkey is now called “{name}”.",
  "passkey-removed": "“{name}” is removed and cannot log in any more.",
  "copied": "The access token is on your clipboard. Whoever has it is you until it ends.",
  "copy-failed": "The browser does not let this page copy. Allow the clipboard for it and try again.",

  "invalid-request": "Please look at the marked fields and try again.",
  "login-failed": "That did not work. Try another passkey, or create an account if you have none.",
  "registration-failed": "No account was made. If you have one with this e-mail, log in; otherwise please start again.",
  "ceremony-failed": "No passkey was added. Please start again.",
  "challenge-expired": "That took longer than five minutes. Please start again.",
  "not-authenticated": "You are not logged in. Log in again to go on.",
  "token-rejected": "The service does not accept this session any more. Log in again to go on.",
  "access-denied": "The service does not allow this. Open the page at its own address and try again.",
  "not-found": "This does not exist any more. Load the page again to see what does.",
  "last-credential": "This is your only passkey. Without it you could not log in, so add another one first.",
  "too-many-credentials": "You have as many passkeys as an account may have. Remove one first.",
  "rate-limited": "Too many attempts. Please wait {wait} and try again.",
  "request-timeout": "Your connection was too slow. Please try again.",
  "body-too-large": "That was too much for the service. Please shorten what you have typed.",
  "headers-too-large": "Your browser sends too much. Remove this site’s data in its settings and try again.",
  "malformed-body": "The service could not read this. Load the page again.",
  "unsupported-media-type": "The service could not read this. Load the page again.",
  "bad-request": "This is not the address of the service. Open the page there.",
  "method-not-allowed": "Page and service do not fit together. Load the page again.",
  "storage-unavailable": "The service cannot store anything at the moment. Please try again in {wait}.",
  "internal": "The service made a mistake. Please try again; its log has it as {id}.",
  "offline": "The service cannot be reached. See that it runs and that you are online, then try again.",
  "no-answer": "The service takes too long to answer. Please try again.",
  "foreign-answer": "Something else answered in place of the service. Check your connection and try again.",

  "cancelled": "No passkey was used. Try again, or take the device where you made yours.",
  "cancelled-create": "No passkey was made. Try again, and confirm when your browser asks.",
  "aborted": "The browser has broken off the prompt. Please try again.",
  "timeout": "The prompt has waited too long for you. Try again and confirm within a minute.",
  "no-authenticator": "This device cannot keep a passkey yet. Set up a screen lock, fingerprint or PIN, then try again.",
  "no-authenticator-yet": "This device has no place for a passkey yet. If your browser asks, go on; else set up a screen lock.",
  "already-registered": "This device already has a passkey of yours. Use it, or take a security key, a phone or another device.",
  "not-secure": "Passkeys work at a secure address only: https, or localhost. Open the page there.",
  "not-secure-ip": "Passkeys belong to a name, not to {where}. Open the page under its name.",
  "not-secure-rp": "Passkeys of {rp} do not work at {where}. Open the page at the service’s own address.",
  "not-supported": "Your device has no kind of passkey that the service takes. Use another device or security key.",
  "no-verification": "Your device cannot confirm that it is you. Set up a screen lock or PIN, then try again.",
  "not-focused": "The browser asks only in the window in front. Click into this page and try again.",
  "busy": "Another passkey prompt is open. Finish or close it, then try again.",
  "unreadable-passkey": "A browser extension answered, but not readably. Switch it off for this page and try again.",
  "unsupported": "This browser cannot use passkeys here. Take Chrome or Edge 129, Safari 18.4, Firefox 119 or newer.",
  "unexpected": "Something unexpected happened ({name}). Load the page again.",
};

const TRANSPORTS = {
  internal: "built in", hybrid: "phone nearby", usb: "USB", nfc: "NFC", ble: "Bluetooth", "smart-card": "smart card",
};
const TIMES = new Set(["iat", "exp", "nbf", "auth_time"]);
const UNSURE = new Set(["offline", "no-answer", "foreign-answer"]);

const $ = id => document.getElementById(id);
const message = $("message"), list = $("passkeys"), dialog = $("confirm");

let session = null;    // {token, claims, userId, ends, isTimed}: when it `ends` by the service's clock, once that is known
let user = null;       // who is logged in
let lead = 0;          // how far the service's clock is ahead of this one's
let prompt = null;     // the AbortController of the prompt that a person has opened
let channel = null;    // to other tabs of this page
let isLeaving = false;
const away = {tries: 0, until: 0, retry: null};  // a session whose service does not answer
let usedPasskey = "", userHandle = "";  // of the last login; known until the page is loaded again

class Trouble extends Error {
  constructor(code, {text = SAID[code] ?? SAID.unexpected, fields = [], retry = 0, link = "", ...values} = {}) {
    const filled = {wait: duration(retry || 2), name: code, ...values};
    super(text.replace(/\{(\w+)\}/g, (_, key) => shortened(String(filled[key]))));
    Object.assign(this, {code, fields, retry, link});
  }
}

const SILENT = "silent";  // ended by the page itself

// --- what the page says

function say(code, kind = "info", values = {}) {
  const {message: text, link} = values instanceof Trouble ? values : new Trouble(code, values);
  message.setAttribute("role", kind === "error" ? "alert" : "status");
  message.dataset.kind = kind;
  message.dataset.code = code;
  const line = element("p", {}, text);
  if (link) line.append(" ", element("a", {href: link}, link));
  message.replaceChildren(line);
  delete message.dataset.seen;
  if (kind === "info" || document.body.dataset.state === "unsupported") return;
  const close = element("button", {type: "button", class: "quiet", "aria-label": "Close message"});
  close.addEventListener("click", () => {
    greet();
    document.querySelector(user ? "#profile-title" : ".card:not([hidden]) h2").focus({preventScroll: true});
  });
  message.append(close);
}

// What is said when there is nothing to say.
function greet() {
  const greeting = $("login").hidden ? "ready-register" : autofill.isAvailable ? "ready" : "ready-plain";
  if (user) say("logged-in");
  else say("ready", "info", {text: SAID[greeting]});
}

function report(error, form) {
  const trouble = error instanceof Trouble ? error : new Trouble("unexpected", {name: error?.name ?? "error"});
  if (trouble.code === SILENT || isLeaving) return;
  if (form && trouble.fields.length) markFields(form, trouble.fields);
  say(trouble.code, "error", trouble);
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function shortened(text) {
  const characters = [...text];
  return characters.length > 40 ? `${characters.slice(0, 39).join("")}…` : text;
}

function duration(seconds) {
  if (seconds < 90) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}

function when(text, options = {dateStyle: "medium", timeStyle: "short"}) {
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) return String(text);
  return element("time", {datetime: moment.toISOString()}, new Intl.DateTimeFormat(undefined, options).format(moment));
}

async function working(button, work, form) {
  if (button.hasAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    report(error, form);
  } finally {
    button.removeAttribute("aria-busy");
    offerAutofill();
  }
}

// --- fields

function markFields(form, problems) {
  for (const {field, message: text} of problems) {
    const input = form.elements[field.split(".")[0]];
    if (!input?.id) continue;
    const place = $(`${input.id}-problem`);
    const label = form.querySelector(`label[for="${input.id}"]`).textContent;
    place.textContent = /^[a-z]/.test(text) ? `${label} ${text}.` : `${text.replace(/\.$/, "")}.`;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", place.id);
  }
  form.querySelector('[aria-invalid="true"]')?.focus();
}

function unmark(input) {
  if (!input.hasAttribute("aria-invalid")) return;
  input.removeAttribute("aria-invalid");
  input.removeAttribute("aria-describedby");
  $(`${input.id}-problem`).textContent = "";
}

function filledIn(form) {
  const problems = [];
  for (const input of form.elements) {
    if (!(input instanceof HTMLInputElement)) continue;
    unmark(input);
    const wrong = input.validity;
    if (wrong.badInput) problems.push({field: input.name, message: "is not a whole date"});
    else if (wrong.valueMissing || !input.value.trim()) problems.push({field: input.name, message: "is missing"});
    else if (wrong.typeMismatch) problems.push({field: input.name, message: "has to be an address such as jane@example.com"});
    else if (!wrong.valid) problems.push({field: input.name, message: "has to be in the past and after 1900"});
  }
  if (problems.length) throw new Trouble("invalid-request", {fields: problems});
  return Object.fromEntries(new FormData(form));
}

// --- the service

async function api(method, path, body) {
  const headers = {Accept: "application/json"}, mine = session;
  if (body) headers["Content-Type"] = "application/json";
  if (mine) headers.Authorization = `Bearer ${mine.token}`;
  let answer, content;
  try {
    answer = await fetch(path, {
      method, headers, body: body && JSON.stringify(body),
      credentials: "omit", cache: "no-store", redirect: "error", signal: AbortSignal.timeout(ANSWER_WITHIN),
    });
    content = await answer.text();
  } catch (error) {
    throw new Trouble(error.name === "TimeoutError" ? "no-answer" : "offline");
  }
  const read = readAnswer(answer, content);
  if (!(read instanceof Trouble)) return read;
  if (mine && ["token-rejected", "not-authenticated"].includes(read.code)) {
    if (session === mine) leave("session-expired", "error", {text: SAID["token-rejected"]});
    throw new Trouble(SILENT);
  }
  throw read;
}

function readAnswer(answer, content) {
  const date = Date.parse(answer.headers.get("Date"));
  if (date && session && !session.isTimed) {
    lead = date - Date.now();
    session.isTimed = true;
  }
  if (answer.status === 204) return null;
  const type = answer.headers.get("Content-Type") ?? "";
  let value = null;
  try {
    if (/^application\/(problem\+)?json\b/.test(type)) value = JSON.parse(content);
  } catch { /* is told below */ }
  if (value === null) return new Trouble("foreign-answer");
  if (answer.ok) return value;
  const code = String(value.type ?? "").split(":").pop();
  const known = code in SAID ? code : answer.status >= 500 ? "internal" : "unexpected";
  return new Trouble(known, {
    fields: value.errors ?? [],
    retry: Number(answer.headers.get("Retry-After")) || 0,
    id: value.instance ?? "an unknown number",
    name: value.title ?? answer.status,
  });
}

// --- ceremonies

// One prompt at a time: whoever opens the next one closes the last, and autofill with it.
async function alone(work) {
  prompt?.abort();
  const mine = prompt = new AbortController();
  await stopAutofill();
  try {
    return await work(mine.signal);
  } finally {
    if (prompt === mine) prompt = null;
  }
}

async function ask(kind, options, signal, mediation) {
  const begun = Date.now();
  if (kind === "create" && await isWithoutAuthenticator(options)) say("no-authenticator", "info", {text: SAID["no-authenticator-yet"]});
  else if (!mediation && message.dataset.code !== "login-too-old") say("waiting");
  try {
    signal.throwIfAborted();
    const publicKey = kind === "create"
      ? PublicKeyCredential.parseCreationOptionsFromJSON(options)
      : PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = await navigator.credentials[kind]({publicKey, signal, ...(mediation && {mediation})});
    return credential.toJSON();
  } catch (error) {
    throw await refusal(error, kind, options, Date.now() - begun, signal);
  }
}

async function refusal(error, kind, options, took, signal) {
  if (signal.aborted) return new Trouble(SILENT);
  switch (error.name) {
    case "AbortError": return new Trouble("aborted");
    case "NotAllowedError": return await notAllowed(error, kind, options, took);
    case "InvalidStateError": return new Trouble(kind === "create" ? "already-registered" : "busy");
    case "SecurityError": return elsewhere(options.rpId ?? options.rp?.id);
    case "NotSupportedError": return new Trouble("not-supported");
    case "ConstraintError": return new Trouble("no-verification");
    case "OperationError": return new Trouble("busy");
    case "TypeError": return new Trouble("unreadable-passkey");
    default: return new Trouble("unexpected", {name: error.name});
  }
}

// Browsers give one error for many reasons, so that no page finds out who has a passkey. What can be told apart is.
async function notAllowed(error, kind, options, took) {
  if (/focus/i.test(error.message)) return new Trouble("not-focused");
  if (kind === "create" && await isWithoutAuthenticator(options)) return new Trouble("no-authenticator");
  if (took >= (options.timeout ?? 60_000) - 500) return new Trouble("timeout");
  return new Trouble("cancelled", kind === "create" ? {text: SAID["cancelled-create"]} : {});
}

// The device has no place for a passkey. A password manager may have, so this is no refusal.
async function isWithoutAuthenticator({authenticatorSelection}) {
  try {
    return authenticatorSelection?.authenticatorAttachment === "platform"
      && !await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable();
  } catch {
    return false;  // not known, and not to be claimed then
  }
}

const IS_NUMBER = /^[\d.]+$|^\[/;

function elsewhere(rp = "") {
  const where = location.host, isOwnMachine = /^127\.|^\[::1\]/.test(location.hostname);
  if (isOwnMachine) return new Trouble("not-secure", {text: SAID["not-secure-ip"], where, link: withName("localhost")});
  if (IS_NUMBER.test(location.hostname)) return new Trouble("not-secure", {text: SAID["not-secure-ip"], where});
  if (!rp || `.${location.hostname}`.endsWith(`.${rp}`)) return new Trouble("not-secure");
  return new Trouble("not-secure", {text: SAID["not-secure-rp"], where, rp});
}

function withName(name) {
  return `${location.protocol}//${name}${location.port && `:${location.port}`}/`;
}

async function logIn(email, signal, mediation) {
  const named = email ? {email} : {};
  const begun = Date.now();
  const {publicKey} = await api("POST", "/login/begin", named);
  if (mediation) {
    autofill.begun = begun;
    document.body.dataset.autofill = "waiting";
  }
  const assertion = await ask("get", publicKey, signal, mediation);
  let answer;
  try {
    answer = await api("POST", "/login/complete", {...named, assertion});
  } catch (error) {
    throw error.code === "login-failed" && Date.now() - begun > CHALLENGE_LIFE ? new Trouble("challenge-expired") : error;
  }
  if (signal.aborted) throw new Trouble(SILENT);
  usedPasskey = assertion.id;
  userHandle = assertion.response.userHandle ?? userHandle;
  open(answer.access_token, answer.user.id);
}

async function register(fields, signal) {
  const {publicKey} = await api("POST", "/register/begin", fields);
  await make(publicKey, signal, "/register/complete", {email: fields.email});
}

// What the service has not stored would be offered for ever, so the browser is told; but not where nobody knows.
async function make(publicKey, signal, path, fields) {
  const credential = await ask("create", publicKey, signal);
  try {
    return await api("POST", path, {...fields, credential});
  } catch (error) {
    if (!UNSURE.has(error.code)) signalUnknown(publicKey.rp.id, credential.id);
    throw error;
  }
}

// Some steps want a recent login. Then the person confirms once more, and the step is taken again.
async function withFreshLogin(step) {
  try {
    return await step();
  } catch (error) {
    if (error.code !== "login-too-old") throw error;
  }
  await confirmLogin();
  return await step();
}

async function confirmLogin() {
  say("login-too-old");
  await alone(signal => logIn(user.email, signal));
  show();
}

// An offer to the browser: where it is missing or refuses, nothing is lost.
async function signal(method, members) {
  try {
    await PublicKeyCredential[method]?.(members);
  } catch { /* see above */ }
}

function signalUnknown(rpId, credentialId) {
  return signal("signalUnknownCredential", {rpId, credentialId});
}

// --- autofill

const autofill = {controller: null, done: Promise.resolve(), begun: 0, failures: 0, notBefore: 0, isAvailable: false};

function offerAutofill() {
  const isWanted = document.body.dataset.state === "signed-out" && !document.hidden && !prompt;
  if (!isWanted || autofill.controller || !autofill.isAvailable || Date.now() < autofill.notBefore) return;
  const mine = autofill.controller = new AbortController();
  document.body.dataset.autofill = "asking";
  autofill.done = (async () => {
    try {
      await logIn("", mine.signal, "conditional");
      autofill.failures = 0;
      await resume("success");
    } catch (error) {
      if (session) report(error);
      else if (error.code !== SILENT) settleAutofill(error);
    } finally {
      autofill.controller = null;
      delete document.body.dataset.autofill;
    }
  })();
}

// It is tried again, each time later.
function settleAutofill(error) {
  autofill.failures += 1;
  const pause = Math.min(300, 2 ** autofill.failures);
  autofill.notBefore = Date.now() + 1000 * Math.max(pause, error.retry ?? 0);
  if (["login-failed", "challenge-expired", "not-secure"].includes(error.code)) report(error);
}

async function stopAutofill() {
  autofill.controller?.abort();
  autofill.begun = 0;
  // The browser has to let go of one request before it takes the next.
  if (document.body.dataset.autofill === "waiting") await autofill.done;
}

async function renewAutofill() {
  await stopAutofill();
  offerAutofill();
}

// --- session

// A browser may forbid it: then the session lives as long as the page.
function stored(work) {
  try { return work(sessionStorage); } catch { return null; }
}

const kept = key => stored(storage => storage.getItem(key));
const forget = () => stored(storage => storage.clear());

const now = () => Date.now() + lead;

function open(token, userId, isNew = true) {
  const claims = claimsOf(token);
  if (!(claims.exp > claims.iat)) throw new TypeError("a token without times");
  // A clock that is wrong here must not end a session there: a new token tells what time it is.
  if (isNew) lead = claims.iat * 1000 - Date.now();
  session = {token, claims, userId, ends: claims.exp * 1000, isTimed: isNew};
  stored(storage => Object.assign(storage, {[TOKEN]: token, [USER_ID]: userId}));
}

function claimsOf(token) {
  const base64 = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

// A token that cannot be read is as good as none.
function reopen() {
  const token = kept(TOKEN);
  if (!token) return false;
  try {
    open(token, kept(USER_ID) ?? "", false);
  } catch {
    forget();
    session = null;
  }
  return session !== null;
}

async function enter(kind) {
  const mine = session;
  const [found] = await Promise.all([api("GET", "/users/me"), refresh()]);
  if (session !== mine) return;
  user = found;
  show();
  setState("signed-in");
  say("logged-in", kind);
  $("profile-title").focus();
}

// Enters, and goes on trying where the service does not answer: the session may be good.
async function resume(kind = "info") {
  const mine = session;
  try {
    await enter(kind);
    away.tries = 0;
  } catch (error) {
    if (error.code === SILENT || session !== mine) return;
    if (!user) standBy(error);
    else report(error);
  }
}

function standBy(error) {
  away.tries += 1;
  away.until = Date.now() + 1000 * Math.max(error.retry ?? 0, Math.min(30, 2 ** away.tries));
  if (away.retry?.isConnected && message.dataset.code === error.code) return;  // nobody has to hear it twice
  setState("loading");
  document.body.dataset.away = "";
  report(error);
  const retry = away.retry = element("button", {type: "button", id: "retry"}, "Try again");
  retry.addEventListener("click", () => working(retry, resume));
  message.lastChild.replaceWith(retry);
  retry.focus();
}

// Nothing of a session stays in the page, so that going back finds nothing either.
function leave(code, kind = "info", values = {}) {
  session = user = null;
  lead = 0;
  usedPasskey = userHandle = "";
  prompt?.abort();
  forget();
  if (dialog.open) dialog.close("no");
  for (const place of document.querySelectorAll("[data-field]")) place.replaceChildren();
  for (const place of [$("claims"), list, $("initials"), $("expiry")]) place.replaceChildren();
  $("expiry").dataset.seconds = "";
  $("login-form").reset();
  $("register-form").reset();
  showForm("login");
  setState("signed-out");
  say(code, kind, values);
  $("login-title").focus();
  offerAutofill();
}

// A new view starts at its top. Taken out for a moment, what it shares with the last is not seen to move.
function setState(state) {
  delete document.body.dataset.away;
  if (document.body.dataset.state !== state) {
    document.body.hidden = true;
    document.body.dataset.state = state;
    void document.body.offsetHeight;
    document.body.hidden = false;
  }
  document.title = state === "signed-in" ? "Your account · authctl" : "Log in · authctl";
}

// Compares with the clock, so that a machine that has slept is not an hour late.
function tick() {
  if (session && !user) {
    if (Date.now() >= away.until && away.retry?.isConnected) away.retry.click();
  } else if (session) {
    const seconds = Math.ceil((session.ends - now()) / 1000);
    if (seconds <= 0) return session.isTimed && leave("session-expired");
    const expiry = $("expiry"), text = clock(seconds), life = session.claims.exp - session.claims.iat;
    if (expiry.textContent !== text) expiry.textContent = text;
    const isLow = seconds <= Math.min(LOW, life / 4);
    if (isLow && !session.isLow) say("session-ending", "info", {wait: duration(seconds)});
    session.isLow = isLow;
    expiry.dataset.seconds = seconds;
    expiry.dataset.low = isLow;
    $("expiry-bar").value = Math.min(1, seconds / life);
  } else if (autofill.controller && autofill.begun && Date.now() - autofill.begun > RENEW_AFTER) {
    renewAutofill();
  } else {
    offerAutofill();
  }
}

function clock(seconds) {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = number => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function show() {
  const shown = {...user,
    date_of_birth: when(user.date_of_birth, {dateStyle: "long", timeZone: "UTC"}),
    created_at: when(user.created_at, {dateStyle: "long"})};
  for (const place of document.querySelectorAll("[data-field]")) place.replaceChildren(shown[place.dataset.field]);
  document.querySelector(".badge").dataset.role = user.role;
  $("initials").textContent = [user.first_name, user.last_name].map(name => [...name.trim()][0] ?? "").join("").toUpperCase();
  showClaims();
  tick();
}

function showClaims() {
  $("claims").replaceChildren(...Object.entries(session.claims).map(([name, value]) => {
    const text = Array.isArray(value) ? value.join(", ") : String(value);
    const place = element("dd", {}, element("bdi", {}, text));
    if (TIMES.has(name)) place.append(element("small", {}, when(value * 1000, {dateStyle: "medium", timeStyle: "medium"})));
    return element("div", {}, element("dt", {}, name), place);
  }));
}

// --- passkeys

// When the list cannot be had, the rest of the page stays usable.
async function refresh(isOwnChange = true) {
  try {
    const {credentials} = await api("GET", "/users/me/credentials");
    draw(credentials);
    // Not while a passkey may be in the making, which is not among them yet.
    if (userHandle && isOwnChange && !prompt) {
      const allAcceptedCredentialIds = credentials.map(each => each.credential_id);
      signal("signalAllAcceptedCredentials", {rpId: session.claims.aud, userId: userHandle, allAcceptedCredentialIds});
    }
  } catch (error) {
    if (error.code === SILENT || !(error instanceof Trouble)) throw error;
    if (!list.children.length) list.append(element("li", {class: "empty"}, error.message));
  }
}

// A row in which somebody is writing stays as it is.
function draw(credentials) {
  const at = document.activeElement;
  list.replaceChildren(...credentials.map(each => list.querySelector(`[data-id="${each.id}"] form`)?.closest("li") ?? row(each)));
  if (list.contains(at)) at.focus();
}

function row(passkey) {
  const name = element("bdi", {class: "passkey-name"}, passkey.name);
  const seen = passkey.last_used_at ? ["last used ", when(passkey.last_used_at)] : ["not used yet"];
  const facts = element("div", {class: "facts"},
    name,
    element("p", {}, element("bdi", {}, passkey.authenticator ?? "Unknown authenticator"), ` · ${passkey.algorithm}`),
    element("p", {}, "Added ", when(passkey.created_at), " · ", ...seen),
    element("p", {class: "badges"}, ...badges(passkey)));
  const rename = button("Rename", "rename", passkey), remove = button("Remove", "remove", passkey);
  const item = element("li", {"data-id": passkey.id}, $("login-passkey").firstChild.cloneNode(true), facts, element("div", {class: "actions"}, rename, remove));
  rename.addEventListener("click", () => openRename(item, passkey));
  remove.addEventListener("click", () => working(remove, () => removePasskey(passkey)));
  return item;
}

function badges(passkey) {
  const synced = passkey.backed_up ? ["soft", "Synced"] : ["plain", passkey.backup_eligible ? "Not synced yet" : "On one device only"];
  const ways = (passkey.transports ?? []).map(name => ["plain", TRANSPORTS[name] ?? name]);
  return [synced, ...ways].map(([kind, text]) => element("span", {class: `badge ${kind}`}, text));
}

function button(text, action, passkey) {
  const made = element("button", {type: "button", "data-action": action}, text);
  if (passkey) made.setAttribute("aria-label", `${text} ${passkey.name}`);
  return made;
}

function openRename(item, passkey) {
  const [facts, actions] = [item.querySelector(".facts"), item.querySelector(".actions")];
  const id = `rename-${passkey.id}`;
  const input = element("input", {id, name: "name", dir: "auto", autocomplete: "off", required: ""});
  const [save, cancel] = [element("button", {class: "primary"}, "Save"), button("Cancel", "cancel")];
  const form = element("form", {class: "rename", novalidate: ""},
    element("div", {}, element("label", {for: id}, "Name"), input, element("p", {class: "problem", id: `${id}-problem`})),
    element("div", {class: "actions"}, save, cancel));
  const close = () => {
    form.replaceWith(facts);
    actions.hidden = false;
    actions.firstChild.focus();
    if (message.dataset.code === "invalid-request") greet();
  };
  input.value = passkey.name;
  input.addEventListener("input", () => unmark(input));
  cancel.addEventListener("click", close);
  form.addEventListener("keydown", event => event.key === "Escape" && close());
  form.addEventListener("submit", event => {
    event.preventDefault();
    working(save, () => renamePasskey(passkey, filledIn(form).name), form);
  });
  facts.replaceWith(form);
  actions.hidden = true;
  input.focus();
  input.select();
}

async function renamePasskey(passkey, name) {
  const renamed = await api("PATCH", `/users/me/credentials/${passkey.id}`, {name});
  list.querySelector(`[data-id="${passkey.id}"]`).replaceWith(row(renamed));
  say("passkey-renamed", "success", {name: renamed.name});
  list.querySelector(`[data-id="${passkey.id}"] [data-action="rename"]`).focus();
  tellOthers("passkeys");
}

async function removePasskey(passkey) {
  if (!await confirmed(passkey)) return;
  const mine = session;
  try {
    await withFreshLogin(() => api("DELETE", `/users/me/credentials/${passkey.id}`));
  } catch (error) {
    if (error.code !== "not-found") throw error;
    // Another tab or an admin was faster: gone is gone.
  }
  signalUnknown(mine.claims.aud, passkey.credential_id);
  tellOthers("passkeys");
  list.querySelector(`[data-id="${passkey.id}"]`)?.remove();
  await refresh().catch(error => {
    if (!session) return leave("session-expired", "info", {text: SAID["session-removed"]});
    throw error;
  });
  if (!session) return;
  say("passkey-removed", "success", {name: passkey.name});
  $("passkeys-title").focus();
}

function confirmed(passkey) {
  const isInUse = passkey.credential_id === usedPasskey;
  $("confirm-text").replaceChildren(
    element("bdi", {}, `“${passkey.name}”`),
    ` will not log in any more. ${isInUse ? "You are logged in with it, so this session ends too. " : ""}`,
    "Your device may still list it; delete it there as well.");
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise(resolve => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), {once: true}));
}

async function addPasskey() {
  if (now() / 1000 - session.claims.auth_time > FRESH) await confirmLogin();
  let added;
  try {
    // A login may also get too old while the prompt is open. What was made then is lost, and all of it starts anew.
    added = await withFreshLogin(makeAnother);
  } catch (error) {
    if (!session) throw new Trouble(SILENT);
    throw error.code === "registration-failed" ? new Trouble(error.code, {text: SAID["ceremony-failed"]}) : error;
  }
  if (!session) return;
  await refresh();
  say("passkey-added", "success", {name: added.name});
  list.querySelector(`[data-id="${added.id}"] [data-action="rename"]`)?.focus();
  tellOthers("passkeys");
}

async function makeAnother() {
  const {publicKey} = await api("POST", "/users/me/credentials/begin", {});
  userHandle = publicKey.user.id;
  try {
    return await alone(signal => make(publicKey, signal, "/users/me/credentials/complete"));
  } catch (error) {
    if (UNSURE.has(error.code)) await refresh();
    throw error;
  }
}

// --- forms

function showForm(name) {
  $("login").hidden = name !== "login";
  $("register").hidden = name !== "register";
}

function switchTo(name) {
  const [from, to] = name === "register" ? [$("login-email"), $("email")] : [$("email"), $("login-email")];
  if (!to.value) to.value = from.value;
  showForm(name);
  greet();
  $(`${name}-title`).focus();
}

async function submitLogin(email) {
  await alone(signal => logIn(email, signal));
  await resume("success");
}

async function submitRegistration() {
  const fields = filledIn($("register-form"));
  await alone(signal => register(fields, signal));
  $("register-form").reset();
  showForm("login");
  $("login-email").value = fields.email;
  try {
    await submitLogin(fields.email);
  } catch (error) {
    if (error.code === SILENT) throw error;
    // The account is there, whatever kept the login from working.
    say("registered", "success");
    $("login-submit").focus();
  }
}

async function copyToken() {
  try {
    await navigator.clipboard.writeText(session.token);
  } catch {
    throw new Trouble("copy-failed");
  }
  say("copied", "success");
}

async function renew() {
  await alone(signal => logIn(user.email, signal));
  show();
  say("renewed", "success");
}

function logOut() {
  tellOthers("logged-out");
  leave("logged-out", "success");
}

// --- other tabs

// A session belongs to its tab, and no token leaves it. But who logs out means all tabs, above all on a shared machine.
function listen() {
  channel = new BroadcastChannel("authctl");
  channel.onmessage = ({data}) => {
    if (!session || data?.userId !== session.userId) return;
    if (data.event === "logged-out") leave("logged-out", "info", {text: SAID["logged-out-elsewhere"]});
    else refresh(false).catch(report);
  };
}

function tellOthers(event) {
  if (session) channel?.postMessage({event, userId: session.userId});
}

// --- start

function obstacle() {
  if (IS_NUMBER.test(location.hostname)) return elsewhere();
  if (!window.isSecureContext) return new Trouble("not-secure");
  const able = window.PublicKeyCredential;
  const isAble = able?.parseCreationOptionsFromJSON && able.parseRequestOptionsFromJSON && able.prototype.toJSON;
  return isAble ? null : new Trouble("unsupported");
}

function connect() {
  const on = (id, work, form) => $(id).addEventListener("click", () => working($(id), work, form));
  const submit = (id, work) => $(`${id}-form`).addEventListener("submit", event => {
    event.preventDefault();
    working($(`${id}-submit`), work, event.target);
  });
  submit("login", () => submitLogin(filledIn($("login-form")).email));
  submit("register", submitRegistration);
  on("login-passkey", () => submitLogin(""));
  on("add-passkey", addPasskey);
  on("renew", renew);
  on("copy-token", copyToken);
  $("logout").addEventListener("click", logOut);
  $("show-register").addEventListener("click", () => switchTo("register"));
  $("show-login").addEventListener("click", () => switchTo("login"));
  $("confirm-yes").addEventListener("click", () => dialog.close("yes"));
  $("confirm-no").addEventListener("click", () => dialog.close("no"));
  for (const input of document.querySelectorAll("main form input")) input.addEventListener("input", () => unmark(input));
  $("date_of_birth").max = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  // News stay in view until a person goes on; an error until it is closed.
  document.addEventListener("pointerdown", () => message.dataset.kind !== "error" && (message.dataset.seen = ""));
  window.addEventListener("focus", tick);
  window.addEventListener("pageshow", ({persisted}) => persisted && comeBack());
  window.addEventListener("pagehide", () => {
    isLeaving = true;
    channel.close();
    autofill.controller?.abort();
  });
  listen();
}

// The browser has kept the page as it was.
async function comeBack() {
  isLeaving = false;
  listen();
  if (!session) return tick();
  if (kept(TOKEN) !== session.token) return leave("session-expired");
  tick();
  if (session) await resume();
}

async function start() {
  const problem = obstacle();
  if (problem) {
    setState("unsupported");
    return report(problem);
  }
  connect();
  try {
    autofill.isAvailable = await PublicKeyCredential.isConditionalMediationAvailable?.() ?? false;
  } catch { /* then there is none */ }
  if (reopen()) return await resume();
  greet();
  setState("signed-out");
  offerAutofill();
}

start().catch(error => {
  setState("signed-out");
  report(error);
});
