"use strict";
const PAGE = 25;
const $ = (id) => document.getElementById(id);

// Colours: those that the reader prefers, until the button says otherwise.
const root = document.documentElement;
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const remembered = (() => {
  try { return localStorage.getItem("asyncgen-theme"); } catch { return null; }
})();
if (remembered === "light" || remembered === "dark") root.dataset.theme = remembered;
const isDark = () => (root.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";
function nameTheme() {
  $("theme").textContent = isDark() ? "Light" : "Dark";
  $("theme").setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
}
$("theme").addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  try { localStorage.setItem("asyncgen-theme", root.dataset.theme); } catch { /* not kept */ }
  nameTheme();
});
prefersDark.addEventListener("change", nameTheme);
nameTheme();
$("theme").hidden = false;

// Tips: at once, and by touch, where a browser's own come late or not at all.
for (const title of document.querySelectorAll("svg title")) {
  title.parentElement.dataset.tip = title.textContent;
  title.remove();
}
document.addEventListener("pointerover", (event) => {
  const about = event.target.closest?.("[data-tip]");
  $("tip").hidden = !about;
  if (about) $("tip").textContent = about.dataset.tip;
});
function moveTip(event) {
  const tip = $("tip");
  if (tip.hidden) return;
  const x = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 6);
  const above = event.clientY - tip.offsetHeight - 12;
  tip.style.transform = `translate(${Math.max(x, 6)}px, ${above < 4 ? event.clientY + 18 : above}px)`;
}
for (const kind of ["pointermove", "pointerover"]) document.addEventListener(kind, moveTip);
document.addEventListener("scroll", () => { $("tip").hidden = true; }, { passive: true });

// Tasks. Each is an array; see tasks.py for what stands where.
const [NUMBER, ID, INSTRUCTION, KIND, INSTANCES, TO_SEED, SEED, TO_KEPT, KEPT] = Array(9).keys();
let runs = [];
let all = [];
let found = [];
let page = 0;
let sort = { key: "", down: false };

async function unpack() {
  const bytes = Uint8Array.from(atob($("packed").textContent), (one) => one.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(plain).text());
}

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// Text with what was searched for marked; all of it is set as text, never as markup.
function marked(parent, text, words) {
  const lower = text.toLowerCase();
  // Lower case may be longer, in Turkish say: then places would not fit.
  if (lower.length !== text.length) words = [];
  let from = 0;
  while (from < text.length) {
    let at = -1;
    let length = 0;
    for (const word of words) {
      const place = lower.indexOf(word, from);
      if (place >= 0 && (at < 0 || place < at)) [at, length] = [place, word.length];
    }
    if (at < 0) break;
    parent.append(text.slice(from, at), element("mark", text.slice(at, at + length)));
    from = at + length;
  }
  parent.append(text.slice(from));
  return parent;
}

const wanted = () => $("query").value.toLowerCase().split(/\s+/).filter(Boolean);

function search() {
  const words = wanted();
  const run = $("run").value;
  const kind = $("kind").value;
  found = all.filter((one) =>
    (run === "" || one.run === Number(run)) &&
    (kind === "" || one.task[KIND] === Number(kind)) &&
    words.every((word) => one.text.includes(word)));
  order();
}

function order() {
  const { key, down } = sort;
  if (key !== "") {
    const value = (one) => {
      if (key === "run") return one.run;
      const field = one.task[key];
      return Array.isArray(field) ? field.length : field;
    };
    const compare = Number(key) === INSTRUCTION
      ? new Intl.Collator().compare
      : (a, b) => a - b;
    found.sort((a, b) => (down ? -1 : 1) * compare(value(a), value(b)));
  }
  page = 0;
  show();
}

function show() {
  const words = wanted();
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const shown = found.slice(page * PAGE, (page + 1) * PAGE);
  $("rows").replaceChildren(...shown.map((one) => row(one, words)));
  $("found").textContent = found.length === all.length
    ? `${all.length.toLocaleString("en")} tasks`
    : `${found.length.toLocaleString("en")} of ${all.length.toLocaleString("en")} tasks`;
  $("page").textContent = `page ${(page + 1).toLocaleString("en")} of ${pages.toLocaleString("en")}`;
  $("previous").disabled = page === 0;
  $("next").disabled = page >= pages - 1;
}

function row(one, words) {
  const { task } = one;
  const line = element("tr");
  const number = element("td", undefined, "number");
  const several = runs.length > 1;
  number.append(element("span", task[NUMBER].toLocaleString("en"), several ? `run r${one.run % 6}` : ""));
  line.append(number);
  if (several) line.append(element("td", runs[one.run].name, "name wide"));
  const open = marked(element("button", undefined, "open"), task[INSTRUCTION], words);
  open.type = "button";
  open.setAttribute("aria-expanded", "false");
  open.addEventListener("click", () => toggle(line, open, one, words));
  const cell = element("td");
  cell.append(open);
  line.append(
    cell,
    element("td", task[KIND] ? "classification" : "", "kind wide"),
    element("td", task[INSTANCES].length, "number wide"),
    element("td", task[TO_SEED].toFixed(2), "number wide"),
    element("td", task[TO_KEPT].toFixed(2), "number"),
  );
  return line;
}

function toggle(line, open, one, words) {
  const isOpen = open.getAttribute("aria-expanded") === "true";
  open.setAttribute("aria-expanded", String(!isOpen));
  if (isOpen) line.nextElementSibling.remove();
  else line.after(detail(one, words, line.children.length));
}

function detail({ run, task }, words, columns) {
  const cell = element("td");
  cell.colSpan = columns;
  for (const [input, output, score] of task[INSTANCES]) {
    const list = element("dl");
    if (input) list.append(element("dt", "input"), marked(element("dd"), input, words));
    list.append(element("dt", "output"), marked(element("dd"), output, words));
    if (score !== undefined) list.append(element("dt", "judge"), element("dd", `score ${score}`));
    cell.append(list);
  }
  const seed = runs[run].seeds[task[SEED]];
  const kept = typeof task[KEPT] === "number" ? runs[run].tasks[task[KEPT]][INSTRUCTION] : task[KEPT];
  const list = element("dl");
  if (seed) list.append(element("dt", `nearest seed, ${task[TO_SEED].toFixed(2)}`), element("dd", seed));
  if (kept) list.append(element("dt", `nearest kept, ${task[TO_KEPT].toFixed(2)}`), element("dd", kept));
  if (runs.length > 1) list.append(element("dt", "run"), element("dd", runs[run].name));
  list.append(element("dt", "id"), element("dd", task[ID]));
  cell.append(list);
  const line = element("tr", undefined, "detail");
  line.append(cell);
  return line;
}

function sortBy(button) {
  const { key } = button.dataset;
  sort = { key, down: sort.key === key && !sort.down };
  for (const head of document.querySelectorAll("#table th")) head.removeAttribute("aria-sort");
  button.closest("th").setAttribute("aria-sort", sort.down ? "descending" : "ascending");
  order();
}

function turn(by) {
  page += by;
  show();
  $("found").scrollIntoView({ block: "nearest" });
}

async function begin() {
  $("found").textContent = "Unpacking the tasks…";
  try {
    runs = await unpack();
  } catch (error) {
    $("found").textContent = `This browser cannot unpack the tasks (${error.message}); `
      + "dataset.jsonl holds them.";
    return;
  }
  all = runs.flatMap(({ tasks }, run) => tasks.map((task) => ({
    run, task, text: [task[INSTRUCTION], ...task[INSTANCES].flat()].join("\n").toLowerCase(),
  })));
  for (const id of ["controls", "table", "pages"]) $(id).hidden = false;
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("query").addEventListener("input", search);
  for (const id of ["run", "kind"]) $(id).addEventListener("change", search);
  for (const button of document.querySelectorAll("#table thead button")) {
    button.addEventListener("click", () => sortBy(button));
  }
  $("previous").addEventListener("click", () => turn(-1));
  $("next").addEventListener("click", () => turn(1));
  search();
  root.dataset.ready = "yes";
}
begin();
