"use strict";
// Makes the portal quicker and safer to use. Every page also works without it.

const live = () => document.getElementById("live");

function say(text) {
  live().textContent = "";
  // Screen readers announce a text only if it changes, and only after a pause.
  setTimeout(() => { live().textContent = text; }, 50);
}

function note(text) {
  const icon = document.createElement("b");
  icon.textContent = "!";
  icon.setAttribute("aria-hidden", "true");
  const line = document.createElement("p");
  line.className = "note";
  line.append(icon, document.createTextNode(" " + text));
  const notes = document.getElementById("notes");
  notes.replaceChildren(line);
  notes.scrollIntoView({ block: "center" });
}

// Copying ------------------------------------------------------------------------------------------------

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Over plain HTTP a browser has no clipboard API, only this older way.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("not copied");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await copy(button.dataset.copy);
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 2000);
    say("Copied");
  } catch {
    say("The browser did not let the portal copy.");
  }
  button.focus();
});

// Menus and sentences ------------------------------------------------------------------------------------

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
}

document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest("details.menu[open]");
  closeMenus();
  if (menu) menu.querySelector("summary").focus();
});

// The explanation of a status opens when it gets the keyboard focus, and closes when it loses the focus.
document.addEventListener("focusin", (event) => {
  const button = event.target.closest("button.status[popovertarget]");
  if (button && button.matches(":focus-visible")) button.popoverTargetElement.showPopover({ source: button });
});
document.addEventListener("focusout", (event) => {
  const opened = document.querySelector(".sentence:popover-open");
  if (!opened || opened.contains(event.relatedTarget)) return;
  const button = document.querySelector(`[popovertarget="${opened.id}"]`);
  if (event.relatedTarget && event.relatedTarget !== button) opened.hidePopover();
});

// The tree: a branch is loaded once, then only shown and hidden -----------------------------------------

function rowsBelow(row) {
  const rows = [];
  let next = row.nextElementSibling;
  for (; next && Number(next.dataset.level) > Number(row.dataset.level); next = next.nextElementSibling) rows.push(next);
  return rows;
}

function showBranch(row, isOpen) {
  row.querySelector("a.twist").setAttribute("aria-expanded", isOpen);
  let closed = null;
  for (const below of rowsBelow(row)) {
    if (closed && Number(below.dataset.level) <= Number(closed.dataset.level)) closed = null;
    below.hidden = !isOpen || Boolean(closed);
    if (!closed && below.querySelector('a.twist[aria-expanded="false"]')) closed = below;
  }
  countFolded();
}

const below = (row) => Number(row.dataset.below ?? 0);

// How many records of an open branch are behind its "more here". Its row still shows what is to do below it.
function unshown(row) {
  const children = rowsBelow(row).filter((it) => Number(it.dataset.level) === Number(row.dataset.level) + 1);
  const isPart = children.some((it) => it.matches(".more"));
  row.classList.toggle("is-part", isPart);
  return isPart ? below(row) - children.reduce((sum, it) => sum + (it.matches(".more") ? 0 : 1 + below(it)), 0) : 0;
}

function countFolded() {
  const line = document.querySelector("[data-folded]");
  if (!line) return;
  const rows = [...document.querySelectorAll("tr[data-below]:not([hidden])")];
  const isFolded = (row) => row.querySelector('[aria-expanded="false"]');
  if (rows.some((row) => row.dataset.below === "")) {
    rows.forEach(unshown);
    line.textContent = rows.some(isFolded) ? ", others in folded branches" : "";
    return;
  }
  const folded = rows.filter(isFolded).reduce((sum, row) => sum + below(row), 0);
  const more = rows.filter((row) => !isFolded(row)).reduce((sum, row) => sum + unshown(row), 0);
  line.textContent = (folded ? `, ${folded} in folded branches` : "") + (more ? `, ${more} behind “more here”` : "");
}

document.addEventListener("click", (event) => {
  const twist = event.target.closest("a.twist");
  if (!twist || !window.htmx || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const row = twist.closest("tr");
  if (rowsBelow(row).length) showBranch(row, twist.getAttribute("aria-expanded") !== "true");
  else window.htmx.trigger(twist, "branch");
});
document.addEventListener("htmx:afterRequest", (event) => {
  const from = event.detail.elt;
  if (event.detail.successful && from.matches("a.twist")) showBranch(from.closest("tr"), true);
});
document.addEventListener("htmx:afterSettle", () => choose(ids()));

// The loaded rows replace the row "more here": the focus moves to the first of them.
document.addEventListener("htmx:beforeSwap", (event) => {
  const row = event.detail.target;
  if (!row.matches("tr.more") || !event.detail.shouldSwap) return;
  const before = row.previousElementSibling;
  document.addEventListener("htmx:afterSettle", () => {
    before.nextElementSibling.querySelector(".name").focus();
    countFolded();
  }, { once: true });
});

// Chosen records -----------------------------------------------------------------------------------------
// Ticks, and hidden inputs for records without a row on the page. Links and filters keep them. The address holds them as
// "record=1.2.3", so that the back button and a new sign-in bring them back.

const dock = () => document.getElementById("send");
const boxes = () => document.querySelectorAll('.pick[form="send"]');
const chosen = () => dock() ? [...dock().elements].filter((it) => it.name === "record" && (it.type === "hidden" || it.checked)) : [];

function countChosen() {
  if (!dock()) return;
  const number = chosen().length;
  const inWords = number.toLocaleString("en-US");
  const button = dock().querySelector("button");
  const elsewhere = dock().querySelectorAll('[type="hidden"]').length;
  dock().querySelector("b").textContent = number ? `${inWords} chosen` : "Choose records to send";
  document.getElementById("elsewhere").textContent = elsewhere ? `${elsewhere} of them not on this page` : "";
  button.textContent = number ? `Send ${inWords} record${number === 1 ? "" : "s"}` : "Send the chosen records";
  button.classList.toggle("btn-primary", number > 0);
  document.getElementById("add")?.classList.toggle("btn-primary", !number);
}

const ids = () => chosen().map((it) => it.value);

function withChosen(address) {
  const url = new URL(address);
  url.searchParams.delete("record");
  if (ids().length) url.searchParams.set("record", ids().join("."));
  return url;
}

const LONGEST_ADDRESS = 6000;

function keepChosen() {
  countChosen();
  const url = withChosen(location);
  url.searchParams.delete("choose");
  if (url.href.length <= LONGEST_ADDRESS) history.replaceState(history.state, "", url);
}

// Tick these records. After new rows were loaded, a record may have a row that had none before, or none any more.
function choose(wanted) {
  if (!dock()) return;
  const left = new Set(wanted);
  for (const hidden of dock().querySelectorAll('[type="hidden"]')) hidden.remove();
  for (const box of boxes()) box.checked = left.delete(box.value);
  for (const value of left) dock().append(Object.assign(document.createElement("input"), { type: "hidden", name: "record", value }));
  countChosen();
}

document.addEventListener("change", (event) => { if (event.target.matches(".pick")) keepChosen(); });
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.matches("form.filters") && ids().length) detail.parameters.record = ids().join(".");
});
addEventListener("pageshow", countChosen);
document.addEventListener("click", (event) => {
  const none = event.target.closest("[data-choose-none]");
  const link = event.target.closest("[data-keeps-chosen] a");
  if (none) {
    event.preventDefault();
    const first = [...boxes()].find((it) => it.checked) ?? boxes()[0];
    for (const it of boxes()) it.checked = false;
    for (const it of chosen()) it.remove();
    keepChosen();
    first?.focus();
  } else if (link) {
    link.href = withChosen(link.href);
  }
});

// A filter applies at once: the list is replaced. What was ticked and typed while the list was loading is kept, and so
// is the focus.

// Text that was typed while the list was loading. It applies on Enter, or when the field loses the focus.
function typeOn(id, value) {
  const input = document.getElementById(id);
  const applied = new AbortController();
  const { signal } = applied;
  const apply = () => input.dispatchEvent(new Event("change", { bubbles: true }));
  input.value = value;
  input.addEventListener("change", () => applied.abort(), { signal });
  input.addEventListener("blur", apply, { signal });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") apply(); }, { signal });
}

// Finds in the new list the element that had the focus in the old one: by its id, or by its name and text.
function sameAs(element) {
  if (element.id) return () => document.getElementById(element.id);
  const says = (it) => [it.tagName, it.name, it.value, it.getAttribute("aria-label") ?? it.textContent.trim()].join("\n");
  const [wanted, href] = [says(element), element.href];
  return () => {
    const same = [...document.querySelectorAll("#list :is(a, button, input, summary)")].filter((it) => says(it) === wanted);
    return same.find((it) => it.href === href) ?? same[0];
  };
}

function focusHeading() {
  const heading = document.querySelector("h1");
  heading.tabIndex = -1;
  heading.focus();
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const list = event.detail.target;
  if (list.id !== "list" || !event.detail.shouldSwap) return;
  event.detail.serverResponse = event.detail.serverResponse.replace(/<noscript>.*?<\/noscript>/gs, "");  // its button would be shown
  const same = list.contains(document.activeElement) ? sameAs(document.activeElement) : null;
  const isMoreOpen = list.querySelector(".more").open;
  const wanted = ids();
  const { parameters } = event.detail.requestConfig;
  const typedSince = [...list.querySelectorAll("#q, #below")].filter((it) => it.value !== parameters[it.name]);
  document.addEventListener("htmx:afterSettle", () => {
    if (dock()) {
      choose(wanted);
      keepChosen();
    }
    for (const it of typedSince) typeOn(it.id, it.value);
    if (isMoreOpen) document.querySelector("#list .more").open = true;
    if (same) {
      same()?.focus({ preventScroll: true });
      if (document.activeElement === document.body) focusHeading();
    }
    say(document.getElementById("count").textContent);
  }, { once: true });
});

// Filters apply on change -----------------------------------------------------------------------------------
// <form data-apply-on-change>: typed text applies on Enter, or when the field loses the focus. The new page sets the
// focus where it was.

const filters = (event) => event.target.closest?.("form[data-apply-on-change]");
let typing = null;

document.addEventListener("keydown", (event) => {
  const form = filters(event);
  if (!form || !event.target.matches("input:not([type=checkbox])")) return;
  if (event.key === "Enter") {
    event.preventDefault();
    form.requestSubmit();
  } else if (event.key !== "Tab") typing = event.target;
});
document.addEventListener("change", (event) => {
  if (event.target !== typing) filters(event)?.requestSubmit();
});
document.addEventListener("focusout", ({ target }) => {
  if (target !== typing) return;
  typing = null;
  if (target.value !== target.defaultValue && target.checkValidity()) setTimeout(() => target.form.requestSubmit());
});
document.addEventListener("submit", (event) => {
  if (filters(event)) sessionStorage.setItem("filtered-by", document.activeElement.id);
});
document.addEventListener("DOMContentLoaded", () => {
  const id = sessionStorage.getItem("filtered-by");
  sessionStorage.removeItem("filtered-by");
  if (id) document.getElementById(id)?.focus();
});
// After the back button, show the filters of the list again.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.querySelectorAll("form[data-apply-on-change]")) form.reset();
});

// Keeping what was typed ---------------------------------------------------------------------------------
// <form data-guard>: leaving with unsaved input asks first; data-guard="changed": its content is not saved yet.

// The inputs that the portal reads: without the fields of a choice that is not selected, and without blanks around lines.
function inputsOf(form) {
  const unread = [...form.querySelectorAll(".only, .at-home, .abroad")].filter((it) => getComputedStyle(it).display === "none");
  const names = new Set(["csrfmiddlewaretoken", ...unread.flatMap((it) => [...it.querySelectorAll("[name]")].map((each) => each.name))]);
  return new URLSearchParams([...new FormData(form)].filter(([name]) => !names.has(name))
    .map(([name, value]) => [name.replace("_abroad", ""), String(value).trim().replace(/\s*\n\s*/g, "\n")])).toString();
}
const inputsAtFirst = new WeakMap();
const leaving = new WeakSet();

function isChanged(form) {
  return !leaving.has(form) && (form.dataset.guard === "changed" || inputsAtFirst.get(form) !== inputsOf(form));
}

// How many fields differ from what is saved. A choice and the fields below it count as one field.
function countChanged(form) {
  const says = form.querySelector("[data-changed]");
  if (!says) return;
  const [before, now] = [inputsAtFirst.get(form), inputsOf(form)].map((text) => new URLSearchParams(text));
  const part = (name) => form.elements[name]?.closest?.(".choice")?.querySelector("input").name ?? name;
  const names = [...before.keys(), ...now.keys()].filter((name) => before.getAll(name).join("\n") !== now.getAll(name).join("\n"));
  const number = new Set(names.map(part)).size;
  says.textContent = number ? `${number} field${number === 1 ? "" : "s"} changed.` : "";
}
document.addEventListener("input", (event) => { if (event.target.form?.matches("[data-guard]")) countChanged(event.target.form); });

addEventListener("beforeunload", (event) => {
  if ([...document.querySelectorAll("form[data-guard]")].some(isChanged)) event.preventDefault();
});

// Before a form is sent, one small request finds out whether the portal can be reached. If it cannot, the browser would
// replace the form with its own error page.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-guard]") || leaving.has(form) || event.defaultPrevented) return;
  event.preventDefault();
  if (form.dataset.asking) return;
  form.dataset.asking = "1";
  try {
    const answer = await fetch("/health/live", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error("not reached");
  } catch {
    note("The portal cannot be reached. What you typed is still here and nothing was sent. Press the button again when the connection is back.");
    return;
  } finally {
    delete form.dataset.asking;
  }
  leaving.add(form);
  form.requestSubmit(event.submitter);
});

// Typing into a field below a choice selects that choice.
document.addEventListener("input", (event) => {
  const choice = document.getElementById(event.target.dataset.chooses);
  if (choice) choice.checked = true;
});

// The field for another parent may open below the visible part of the page: scroll to it and focus it.
document.addEventListener("toggle", ({ target }) => {
  if (!target.open || !target.matches(".picked details")) return;
  const field = target.querySelector("input");
  field.focus({ preventScroll: true });
  field.scrollIntoView({ block: "center" });
}, true);

// After the back button, guard the form again.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.querySelectorAll("form[data-guard]")) leaving.delete(form);
});

document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.status !== 401) return;
  if (![...document.querySelectorAll("form[data-guard]")].some(isChanged)) return;
  event.preventDefault();
  note("Your sign-in has ended. What you typed is still here: sign in again in another tab, then continue here.");
});
// A page that asks the directory when it opens says so as soon as the request has started.
document.addEventListener("htmx:beforeRequest", (event) => {
  const line = event.detail.elt.querySelector("[data-while-asking]");
  if (line) line.hidden = false;
});

// Say that a request failed. Polls try again and suggestions are optional: for those, report only a lost connection.
function reportFailure({ detail, type }) {
  const { elt, target, requestConfig } = detail;
  if (!requestConfig.triggeringEvent || target.matches("datalist")) {
    if (type === "htmx:sendError") say("The portal cannot be reached.");
  } else if (elt.matches("form.filters")) {
    elt.reset();
    note("The list could not be loaded. It still shows the filters from before.");
  } else note("This could not be loaded. The page shows what it showed before.");
}
document.addEventListener("htmx:responseError", reportFailure);
document.addEventListener("htmx:sendError", reportFailure);

// Keeping ages current while a page is open ----------------------------------------------------------------
// data-age: the age in seconds when the page was loaded; data-clock: shown as 00:14. The script counts from that value,
// because the clock of the visitor's machine may be wrong.

const cameAt = new WeakMap();
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function inWords(seconds) {
  const [unit, length] = UNITS.find((each) => seconds >= each[1]) ?? UNITS.at(-1);
  const number = Math.floor(seconds / length);
  return `${number.toLocaleString("en-US")} ${unit}${number === 1 ? "" : "s"}`;
}

function asClock(seconds) {
  return [seconds / 60, seconds % 60].map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
}

function countOn() {
  for (const element of document.querySelectorAll("[data-age]")) {
    if (!cameAt.has(element)) cameAt.set(element, performance.now());
    const seconds = Number(element.dataset.age) + Math.floor((performance.now() - cameAt.get(element)) / 1000);
    const text = "clock" in element.dataset ? asClock(seconds) : inWords(seconds);
    if (element.textContent !== text) element.textContent = text;
  }
}
document.addEventListener("DOMContentLoaded", countOn);
document.addEventListener("htmx:afterSettle", countOn);
setInterval(countOn, 1000);

// A page that answers a POST ------------------------------------------------------------------------------
// <form data-address="...">: a GET of this address shows the form with what was typed. Back and Reload go there. Without
// it the browser would ask whether to send the form again.

const addressed = document.querySelector("form[data-address]");
if (addressed) history.replaceState(history.state, "", addressed.dataset.address);

// Setting the focus after a page was loaded --------------------------------------------------------------

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form[data-guard]")) inputsAtFirst.set(form, inputsOf(form));
  const problem = document.querySelector(".problem");
  const heading = document.querySelector("h1");
  if (problem) {
    problem.focus();
  } else if (heading && document.querySelector("#notes .note")) {
    heading.setAttribute("aria-describedby", "notes");
    focusHeading();
  }
});

// Printing, and requests that take seconds ----------------------------------------------------------------

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});

// <form data-busy="Checking...">: the button shows this text and cannot be pressed again while the request runs.
// <button data-busy="...">: for one button of a form. After Back it is as before, so that what was typed is kept.
const textBefore = new WeakMap();
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  const busy = button?.dataset.busy ?? event.target.dataset.busy;
  if (!busy || event.defaultPrevented) return;
  textBefore.set(button, button.textContent);
  button.setAttribute("aria-busy", "true");
  button.textContent = busy;
  say(busy);
  setTimeout(() => { button.disabled = true; });
});
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("button[data-busy][aria-busy]")) {
    button.removeAttribute("aria-busy");
    button.textContent = textBefore.get(button);
    button.disabled = false;
  }
  if (document.querySelector("[aria-busy]")) location.reload();
});
