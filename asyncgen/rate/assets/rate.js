"use strict";
const $ = (id) => document.getElementById(id);

// What the server said last. What it has not acknowledged, this page does not show as kept.
let turn = null;
let busy = false;
let failed = null;

async function ask(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The server does not answer; is it running? What was rated before is kept.");
  }
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said;
}

// Every request may be sent again: the server keeps one and the same thing once.
async function act(path, body, words) {
  if (busy) return;
  busy = true;
  enable();
  try {
    turn = await ask(path, body);
    failed = null;
    show(words);
  } catch (error) {
    failed = { path, body, words };
    const level = body.level ? `${body.level} is not kept. ` : "";
    $("problem").textContent = level + error.message;
    if (turn === null) show();
  }
  busy = false;
  $("alert").hidden = failed === null;
  enable();
}

function enable() {
  for (const button of document.querySelectorAll("#choices button")) {
    button.disabled = busy || !turn?.item;
  }
  $("undo").disabled = busy || turn === null || turn.last === null;
}

// Whatever a model wrote is set as text; nothing here makes markup of it.
function write(id, text, ifEmpty) {
  const place = $(id);
  place.textContent = text === "" ? ifEmpty : text;
  place.classList.toggle("none", text === "");
}

function show(words) {
  $("start").hidden = turn !== null;
  $("rating").hidden = !turn?.item;
  $("done").hidden = !turn || turn.item !== null;
  $("dock").hidden = $("progress").hidden = $("leave").hidden = turn === null;
  $("choices").hidden = !turn?.item;
  if (turn === null) return $("name").focus();
  const part = `${turn.rated.toLocaleString("en")} of ${turn.total.toLocaleString("en")}`;
  $("count").textContent = part;
  $("share").max = turn.total;
  $("share").value = turn.rated;
  $("leave").textContent = turn.rater;
  $("leave").setAttribute("aria-label", `${turn.rater}: change rater`);
  $("said").textContent = words ? `${words}. ${part} rated.` : "";
  scrollTo(0, 0);
  return turn.item ? showItem(turn.item) : showEnd();
}

function showItem(item) {
  $("application").textContent = item.task.application;
  write("instruction", item.task.instruction, "");
  $("with-input").hidden = item.task.input === "";
  write("input", item.task.input, "");
  write("reference", item.task.reference, "none");
  $("which").textContent = item.of > 1 ? `Response ${item.place} of ${item.of}` : "Response";
  write("response", item.response, "empty response");
  $("rating").dataset.number = item.number;
  $("which").focus({ preventScroll: true });
}

function showEnd() {
  const counts = Object.entries(turn.counts).sort().map(([level, count]) => `${count} times ${level}`);
  $("thanks").textContent =
    `Thank you, ${turn.rater}: ${counts.join(", ")}. All of it is kept; you may close this page.`;
  $("done-title").focus({ preventScroll: true });
}

function begin(name) {
  return act("begin", { rater: name });
}

function rate(level) {
  if (!turn?.item) return;
  void act("rate", { rater: turn.rater, response: turn.item.number, level }, `Rated ${level}`);
}

function undo() {
  if (turn === null || turn.last === null) return;
  void act("undo", { rater: turn.rater, response: turn.last }, "Taken back");
}

// The address remembers who rates, so that reloading goes on.
function named() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

function arrive() {
  turn = null;
  failed = null;
  $("alert").hidden = true;
  if (named()) void begin(named());
  else show();
}

$("begin").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  if (name === named()) arrive();
  else if (name) location.hash = encodeURIComponent(name);
});
$("leave").addEventListener("click", () => { location.hash = ""; });
$("again").addEventListener("click", () => {
  if (failed) void act(failed.path, failed.body, failed.words);
});
$("undo").addEventListener("click", undo);
for (const button of document.querySelectorAll("#choices button")) {
  button.addEventListener("click", () => rate(button.dataset.level));
}
document.addEventListener("keydown", (event) => {
  // A key that is held down rates one response, not all of them.
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || turn === null) return;
  if (event.key === "u" || event.key === "U") return undo();
  document.querySelector(`#choices button[data-key="${CSS.escape(event.key)}"]:enabled`)?.click();
});
addEventListener("hashchange", arrive);
arrive();
