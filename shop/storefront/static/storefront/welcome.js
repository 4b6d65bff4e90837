"use strict";

// Joins a guest and shows their card. Texts and codes come from the page, which knows the language
// and the address; nothing here asks any other server.

const page = JSON.parse(document.getElementById("page-data").textContent);
const texts = page.texts;
const language = document.documentElement.lang;

const TOKEN = "huigan.token";
const ASKED = "huigan.asked";
const CODE_PAUSE = 30; // seconds between two login codes; the server insists on it
const ASKED_LIVES = 300;
const MOST_CODES = 10; // a page left open stops asking for member codes after five minutes

const at = (id) => document.getElementById(id);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const asDate = (text) => new Date(text).toLocaleDateString(language, { dateStyle: "medium" });
const asNumber = (number) => number.toLocaleString(language);

// Some browsers refuse storage; then the page forgets when it is left, and works until then.
const memory = new Map();
const kept = {
  get(key) {
    try { return sessionStorage.getItem(key); } catch { return memory.get(key) ?? null; }
  },
  set(key, value) {
    try { sessionStorage.setItem(key, value); } catch { memory.set(key, value); }
  },
  drop(key) {
    try { sessionStorage.removeItem(key); } catch { memory.delete(key); }
  },
};

// --- the server ---------------------------------------------------------------------------------

class Problem extends Error {
  constructor(document) {
    super(document.code);
    this.code = document.code;
    this.document = document;
  }

  get text() {
    const { errors = [], title, retry_after_seconds: seconds } = this.document;
    const field = errors.find((error) => error.pointer in texts.fields);
    if (field) return texts.fields[field.pointer];
    return fill(texts.problems[this.code] ?? title ?? texts.problems["internal-error"], {
      wait: asWait(seconds ?? CODE_PAUSE),
    });
  }
}

async function call(method, path, body, key) {
  const headers = { Accept: "application/json" };
  if (key) headers["Idempotency-Key"] = key;
  if (kept.get(TOKEN)) headers.Authorization = `Bearer ${kept.get(TOKEN)}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Problem({ code: "no-connection" });
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem({ code: "internal-error", ...answer });
  return { answer, servedAt: Date.parse(response.headers.get("Date")) || Date.now() };
}

const asWait = (seconds) =>
  seconds < 100
    ? fill(texts.seconds, { n: seconds })
    : fill(texts.minutes, { n: Math.ceil(seconds / 60) });

// --- what all steps share -----------------------------------------------------------------------

const announce = (text) => { at("status").textContent = text; };

function complain(step, text) {
  const alert = at(`${step}-alert`);
  alert.textContent = text;
  alert.hidden = !text;
  const input = at(step);
  if (!(input instanceof HTMLInputElement)) return;
  input.setAttribute("aria-invalid", String(Boolean(text)));
  if (text) input.focus();
}

function show(step) {
  for (const name of ["phone", "code", "card"]) at(`${name}-step`).hidden = name !== step;
  complain(step, "");
  hideMemberCode();
}

async function busy(button, step, work) {
  if (button.disabled) return;
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  complain(step, "");
  try {
    await work();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    handle(step, problem);
  } finally {
    button.removeAttribute("aria-busy");
    button.disabled = false;
  }
}

function handle(step, problem) {
  if (problem.code === "not-authenticated") {
    kept.drop(TOKEN);
    show("phone");
    complain("phone", problem.text);
    return;
  }
  if (problem.code === "referral-code-unknown") delete page.origin.referral_code;
  complain(step, problem.text);
}

// --- a phone number, then its code --------------------------------------------------------------

at("phone-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const phone = at("phone").value.trim();
  if (!phone) return complain("phone", texts.fields["/phone"]);
  busy(event.submitter ?? event.target.querySelector("button"), "phone", () => ask(phone));
});

async function ask(phone) {
  const { answer } = await call("POST", "/auth/codes", { phone });
  const asked = { phone, at: Date.now(), sandboxCode: answer.sandbox_code };
  kept.set(ASKED, JSON.stringify(asked));
  announce(texts.codeSent);
  showCodeStep(asked);
}

function showCodeStep({ phone, at: since, sandboxCode }) {
  show("code");
  at("asked-phone").textContent = phone;
  at("demo-note").hidden = !sandboxCode;
  at("code").value = sandboxCode ?? "";
  at("code").focus();
  countDown(since);
}

let pause;
function countDown(since) {
  clearInterval(pause);
  const button = at("send-again");
  const tick = () => {
    const left = Math.ceil(CODE_PAUSE - (Date.now() - since) / 1000);
    if (button.getAttribute("aria-busy")) return;
    button.disabled = left > 0;
    button.textContent = left > 0 ? fill(texts.sendAgainIn, { wait: asWait(left) }) : texts.sendAgain;
    if (left <= 0) clearInterval(pause);
  };
  tick();
  pause = setInterval(tick, 1000);
}

at("send-again").addEventListener("click", async (event) => {
  await busy(event.target, "code", () => ask(at("asked-phone").textContent));
  const { at: since } = JSON.parse(kept.get(ASKED) ?? '{"at": 0}');
  countDown(since);
});

at("other-phone").addEventListener("click", () => {
  kept.drop(ASKED);
  show("phone");
  at("phone").focus();
});

at("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = at("code").value.replace(/\s/g, "");
  if (!/^\d{6}$/.test(code)) return complain("code", texts.fields["/code"]);
  busy(event.submitter ?? event.target.querySelector("button"), "code", () => signIn(code));
});

async function signIn(code) {
  const phone = at("asked-phone").textContent;
  const { answer } = await call("POST", "/auth/tokens", { phone, code, ...page.origin });
  kept.set(TOKEN, answer.token);
  kept.drop(ASKED);
  at("code").value = "";
  await showCard(answer.is_new ? texts.joined : texts.back);
}

// --- my card ------------------------------------------------------------------------------------

async function showCard(title) {
  show("card");
  const entered = await enterCoupon();
  at("card-title").textContent = title;
  at("card-again").hidden = true;
  at("card").classList.add("loading");
  at("card-title").focus();
  announce(title);
  try {
    const [me, coupons, referral] = await Promise.all([
      call("GET", "/me"),
      call("GET", "/me/coupons"),
      call("GET", "/me/referral-code"),
    ]);
    drawMember(me.answer);
    drawCoupons(coupons.answer.results);
    drawInvitation(referral.answer);
    if (entered === null) announce(texts.couponEntered);
    else complain("card", entered);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    handle("card", problem);
    at("card-again").hidden = false;
  }
}

// The code of a scanned paper is entered once; a bad one keeps nobody from their card.
async function enterCoupon() {
  const code = page.coupon;
  if (!code) return "";
  page.coupon = "";
  try {
    await call("POST", "/me/coupons", { code }, `paper-${code}-${Date.now()}`);
    return null;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return problem.text;
  }
}

function drawMember(me) {
  at("tier").textContent = page.tiers[me.tier] ?? me.tier;
  at("last4").textContent = `•••• ${me.phone_last4}`;
  at("points").textContent = asNumber(me.points_available);
  at("orders").textContent = asNumber(me.order_count);
  at("coupon-count").textContent = asNumber(me.coupons_available);
  at("since").textContent = asDate(me.joined_at);
  at("card").classList.remove("loading");
}

function drawCoupons(coupons) {
  const isChinese = language.startsWith("zh");
  at("no-coupons").hidden = coupons.length > 0;
  at("coupons").replaceChildren(
    ...coupons.map((coupon) => {
      const ticket = at("coupon").content.cloneNode(true);
      const { name_zh: chinese, name_en: english } = coupon.definition;
      ticket.querySelector("strong").textContent = isChinese ? chinese : english;
      const until = fill(texts.validUntil, { date: asDate(coupon.expires_at) });
      ticket.querySelector("span").textContent = until;
      ticket.querySelector("code").textContent = coupon.code;
      return ticket;
    }),
  );
}

function drawInvitation(referral) {
  const points = referral.points_per_friend;
  const link = page.invitation + referral.code;
  at("per-friend").textContent = points ? fill(texts.perFriend, { n: points }) : texts.noReward;
  at("referral-code").textContent = referral.code;
  at("friends-joined").textContent = asNumber(referral.friends_joined);
  at("friends-bought").textContent = asNumber(referral.friends_bought);
  at("invite-link").value = link;
  at("invite-qr").src = `/welcome/invitations/${referral.code}.svg`;
  at("share-link").hidden = !navigator.share;
  at("invite").hidden = false;
}

at("card-again").addEventListener("click", () => showCard(texts.card));

at("copy-link").addEventListener("click", async (event) => {
  const link = at("invite-link");
  try {
    await navigator.clipboard.writeText(link.value);
  } catch {
    link.select(); // browsers keep the clipboard from pages without TLS, but not from selections
    document.execCommand("copy");
  }
  const label = event.target.textContent;
  event.target.textContent = texts.copied;
  announce(texts.copied);
  setTimeout(() => { event.target.textContent = label; }, 2000);
});

at("share-link").addEventListener("click", () => {
  navigator.share({ text: texts.inviteText, url: at("invite-link").value }).catch(() => {});
});

at("sign-out").addEventListener("click", (event) =>
  busy(event.target, "card", async () => {
    await call("POST", "/auth/logout");
    kept.drop(TOKEN);
    show("phone");
    announce(texts.signedOut);
    at("phone-title").focus();
  }),
);

// --- the code for the till ----------------------------------------------------------------------

let renewal;
let showing = 0; // which showing the answer belongs to; one that was ended shows nothing any more

at("show-code").addEventListener("click", (event) =>
  busy(event.target, "card", () => showMemberCode(MOST_CODES)),
);
at("hide-code").addEventListener("click", () => {
  hideMemberCode();
  at("show-code").focus();
});

async function showMemberCode(codesLeft) {
  const mine = showing;
  const { answer, servedAt } = await call("POST", "/me/code");
  if (mine !== showing) return;
  // Measured on the server's clock: a phone's may be off by more than the code lives.
  const lives = Math.max(Date.parse(answer.expires_at) - servedAt - 1000, 1000);
  const isFirst = at("member-code").hidden;
  at("member-qr").src = `/welcome/codes/${answer.code}.svg`;
  at("member-digits").textContent = answer.code.replace(/(\d{5})/, "$1 ");
  at("show-code").hidden = true;
  at("member-code").hidden = false;
  at("time-left").animate([{ transform: "scaleX(1)" }, { transform: "scaleX(0)" }], lives);
  if (isFirst) announce(texts.codeShown);
  clearTimeout(renewal);
  renewal = setTimeout(() => renewMemberCode(codesLeft - 1), lives);
}

async function renewMemberCode(codesLeft) {
  if (codesLeft < 1 || document.hidden) return hideMemberCode();
  try {
    await showMemberCode(codesLeft);
  } catch (problem) {
    hideMemberCode();
    if (!(problem instanceof Problem)) throw problem;
    handle("card", problem);
  }
}

function hideMemberCode() {
  showing += 1;
  clearTimeout(renewal);
  at("member-code").hidden = true;
  at("show-code").hidden = false;
}

// --- where to begin -----------------------------------------------------------------------------

const asked = JSON.parse(kept.get(ASKED) ?? "null");
if (kept.get(TOKEN)) {
  showCard(texts.card);
} else if (asked && Date.now() - asked.at < ASKED_LIVES * 1000) {
  showCodeStep(asked); // the language was switched, or the page was left to read the message
} else {
  show("phone");
}
