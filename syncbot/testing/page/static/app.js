// The page of a trial: the state stands on the server; here are drafts, scrolling and the theme.
import { callNode, contentNodes, inlineKeyboard, make, plain, serviceText } from "./render.js";

const $ = (id) => document.getElementById(id);
const DRAWN = 200, KEPT = 1000;
const chats = new Map();
const users = new Map();
let bot = {}, commands = [], state = {}, current = null, source = null, context = null, inlineQuery = null, toastTimer = 0, sticks = true, boxHeight = 0;

// ---------------------------------------------------------------- to the server

async function ask(name, body) {
  const answer = await fetch(`api/${name}`, body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error || `the server answered ${answer.status}`);
  return value;
}

async function act(name, body = {}) {
  try { return await ask(name, body); } catch (problem) { toast(problem.message); return null; }
}

const here = (more) => ({ chat: current.id, user: actor(current), ...more });

const doing = {
  say: (text) => act("send", here({ text })),
  vote: (message, options) => act("vote", here({ message_id: message.message_id, options })),
  press: (message, button, row, column) => {
    if ("callback_data" in button || "callback_game" in button) act("press", here({ message_id: message.message_id, row, column }));
    else if (button.copy_text) { navigator.clipboard?.writeText(button.copy_text.text); toast("Copied"); }
    else if ("switch_inline_query_current_chat" in button) setText(`@${bot.username} ${button.switch_inline_query_current_chat}`);
    else toast("This page cannot show what this button opens");
  },
};

// ---------------------------------------------------------------- from the server

function chatOf(card) {
  let chat = chats.get(card.id);
  if (!chat) {
    chat = { id: card.id, messages: new Map(), unread: 0, draft: "", keyboard: null, earlier: true, actor: null, typing: "", last: null };
    chats.set(card.id, chat);
  }
  return Object.assign(chat, { type: card.type, title: card.title, blocked: card.blocked });
}

async function refresh() {
  const known = await ask("snapshot");
  ({ bot, commands } = known);
  users.clear();
  for (const user of known.users) users.set(user.id, user);
  for (const card of known.chats) {
    const chat = chatOf(card);
    chat.messages = new Map(card.messages.map((message) => [message.message_id, message]));
    chat.keyboard = card.keyboard;
    chat.earlier = card.messages.length === DRAWN;
    chat.last = card.messages[card.messages.length - 1] || null;
  }
  $("call-list").replaceChildren(...known.calls.map(callNode).reverse());
  listFaults(known.all_faults, known.state.faults);
  showState(known.state);
  $("commands").hidden = !commands.length;
  drawChats();
  show(current && chats.get(current.id) ? current : [...chats.values()][0]);
  listen(known.last);
}

function listen(after) {
  source?.close();
  source = new EventSource(`api/events?after=${after}`);
  source.onmessage = (event) => { for (const one of JSON.parse(event.data)) take(one); };
  source.addEventListener("lost", () => { source.close(); refresh(); });
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(() => refresh().catch(() => {}), 2000); };
}

function take(event) {
  switch (event.kind) {
    case "message": return takeMessage(event);
    case "deleted": return takeDeleted(event);
    case "chat": chatOf(event.chat); drawChats(); if (current?.id === event.chat.id) showTitle(); return undefined;
    case "user": users.set(event.user.id, event.user); return showTitle();
    case "call": return takeCall(event.call);
    case "state": return showState(event.state);
    case "typing": return takeTyping(event.chat, `${bot.first_name}: ${event.action.replaceAll("_", " ")} …`);
    case "draft": return takeTyping(event.chat, `${bot.first_name}: ${event.text}`);
    case "toast": return takeAnswer(event);
    case "inline": return takeInline(event);
    case "keyboard": { const chat = chats.get(event.chat); if (chat) { chat.keyboard = event.markup; if (chat === current) showKeyboard(); } return undefined; }
    case "commands": commands = event.commands; $("commands").hidden = !commands.length; return undefined;
    default: return undefined;
  }
}

function takeMessage({ chat: id, message, edited }) {
  const chat = chats.get(id);
  if (!chat) return;
  const before = chat.messages.get(message.message_id);
  if (!before && edited) return; // above what is drawn
  if (before) message = { reactions: before.reactions, pinned: before.pinned, ...message };
  chat.messages.set(message.message_id, message);
  if (chat.messages.size > KEPT) { chat.messages.delete(chat.messages.keys().next().value); chat.earlier = true; } // the server has them, for "Earlier"
  chat.typing = "";
  if (!before) chat.last = message;
  if (chat === current) {
    const node = document.querySelector(`[data-message="${message.message_id}"]`);
    if (node) node.replaceWith(messageNode(message)); else if (!before) append(message);
    $("typing").textContent = "";
  } else if (!before && isBots(message)) chat.unread += 1;
  if (isBots(message)) $("live").textContent = `${bot.first_name}${chat === current ? "" : ` in ${chat.title}`}${edited ? " changed a message" : ""}: ${plain(message)}`;
  drawChats();
}

function takeDeleted({ chat: id, message_id }) {
  const chat = chats.get(id), message = chat?.messages.get(message_id);
  if (!message) return;
  message.deleted = true;
  if (chat === current) document.querySelector(`[data-message="${message_id}"]`)?.replaceWith(messageNode(message));
}

function takeCall(call) {
  const list = $("call-list"), old = list.querySelector(`[data-number="${call.number}"]`), node = callNode(call);
  if (old) { node.open = old.open; old.replaceWith(node); return; }
  list.prepend(node);
  while (list.childElementCount > DRAWN) list.lastChild.remove();
}

function takeTyping(id, text) {
  const chat = chats.get(id);
  if (!chat) return;
  chat.typing = text;
  if (chat === current) $("typing").textContent = text;
  setTimeout(() => { if (chat.typing === text) { chat.typing = ""; if (chat === current) $("typing").textContent = ""; } }, 5000);
}

function takeAnswer({ text, alert, url }) {
  if (alert && text) { $("alert-text").textContent = text; $("alert").showModal(); } else if (text || url) toast(text || `Opens ${url}`);
}

// ---------------------------------------------------------------- chats

const isBots = (message) => message.from?.id === bot.id;
const actor = (chat) => (chat.type === "private" ? chat.id : chat.actor ?? [...users.keys()][0]);

function drawChats() {
  const wanted = $("chat-filter").value.trim().toLowerCase(), focused = document.activeElement?.dataset?.chat;
  $("chat-list").replaceChildren(...[...chats.values()].filter((chat) => chat.title.toLowerCase().includes(wanted)).map((chat) => {
    const sign = { private: "", channel: "📢 " }[chat.type] ?? "# ";
    return make("li", {}, make("button", { type: "button", "data-chat": chat.id, "aria-current": chat === current ? "true" : false, onclick: () => show(chat) },
      make("span", {}, `${sign}${chat.title}`), make("span", { class: "preview" }, chat.last ? plain(chat.last) : ""),
      chat.unread ? make("span", { class: "unread", "aria-label": `${chat.unread} unread` }, String(chat.unread)) : null));
  }));
  if (focused) document.querySelector(`[data-chat="${focused}"]`)?.focus();
}

function show(chat) {
  if (!chat) return;
  if (current && current !== chat) { current.draft = $("text").value; setContext(null); }
  const changed = current !== chat;
  current = chat;
  chat.unread = 0;
  if (changed) $("text").value = chat.draft;
  showTitle();
  $("messages").replaceChildren(...[...chat.messages.values()].slice(-DRAWN).map((message) => messageNode(message)));
  $("earlier").hidden = !chat.earlier;
  $("newer").hidden = true;
  $("newer").dataset.count = 0;
  chat.behind = false;
  $("typing").textContent = chat.typing;
  toEnd();
  showKeyboard();
  drawChats();
  view("chat");
}

function showTitle() {
  if (!current) return;
  $("chat-title").textContent = current.title;
  $("actor-label").hidden = current.type === "private" || current.type === "channel";
  $("actor").replaceChildren(...[...users.values()].map((user) => make("option", { value: user.id, selected: user.id === actor(current) }, user.first_name)));
  $("block").hidden = current.type !== "private";
  $("block").textContent = current.blocked ? "Unblock the bot" : "Block the bot";
}

function showKeyboard() {
  const markup = current.keyboard, place = $("reply-keyboard");
  place.hidden = !markup?.keyboard;
  $("text").placeholder = markup?.input_field_placeholder || "Message";
  place.replaceChildren(...(markup?.keyboard || []).map((row) => make("div", { class: "row" }, ...row.map((button) => {
    const text = typeof button === "string" ? button : button.text;
    return make("button", { type: "button", onclick: () => pressReply(button, text) }, text);
  }))));
}

function pressReply(button, text) {
  if (button.request_contact) act("contact", here({}));
  else if (button.request_location) act("location", here({}));
  else doing.say(text);
  if (current.keyboard.one_time_keyboard) { current.keyboard = null; showKeyboard(); }
}

// ---------------------------------------------------------------- messages

function messageNode(message) {
  const service = serviceText(message);
  if (service) return make("div", { class: "service", "data-message": message.message_id }, service);
  const mine = message.from?.id === actor(current);
  const author = current.type === "private" ? null : message.from?.first_name || current.title;
  const time = new Date(message.date * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const facts = [message.pinned ? "📌" : "", message.deleted ? "deleted" : "", message.edit_date ? "edited" : "", time].filter(Boolean).join(" · ");
  const album = message.media_group_id && current.messages.get(message.message_id - 1)?.media_group_id === message.media_group_id;
  const node = make("article", { class: `message${mine ? " mine" : ""}${message.deleted ? " deleted" : ""}${album ? " album" : ""}`, "data-message": message.message_id,
    "aria-label": message.from?.first_name || current.title },
    author ? make("div", { class: "author" }, author) : null,
    message.forward_origin ? make("div", { class: "quote" }, "Forwarded") : null,
    message.reply_to_message ? make("div", { class: "quote" }, plain(message.reply_to_message)) : null,
    ...contentNodes(message, doing), message.deleted ? null : inlineKeyboard(message, doing),
    message.reactions?.length ? make("div", { class: "reactions" }, message.reactions.join(" ")) : null,
    make("div", { class: "meta" }, facts));
  if (!message.deleted) node.append(make("div", { class: "tools" },
    make("button", { type: "button", onclick: () => setContext({ reply: message }) }, "Reply"),
    mine && message.text ? make("button", { type: "button", onclick: () => startEdit(message) }, "Edit") : null,
    ...["👍", "❤"].map((emoji) => make("button", { type: "button", "aria-label": `React with ${emoji}`, onclick: () => react(message, emoji) }, emoji))));
  node.addEventListener("click", (event) => { if (!event.target.closest("button, a, audio, video")) markCalls(node, message); });
  return node;
}

function react(message, emoji) {
  act("react", here({ message_id: message.message_id, emoji: message.reactions?.includes(emoji) ? "" : emoji }));
}

function markCalls(node, message) {
  for (const marked of document.querySelectorAll(".marked")) marked.classList.remove("marked");
  node.classList.add("marked");
  const words = JSON.stringify(message.text ?? message.caption ?? "");
  for (const call of $("call-list").children) {
    const about = call.facts?.params || {};
    const sameChat = String(about.chat_id) === String(current.id);
    if (sameChat && (about.message_id === message.message_id || JSON.stringify(about.text ?? about.caption ?? "") === words)) call.classList.add("marked");
  }
}

const atEnd = () => { const box = $("messages"); return box.scrollHeight - box.scrollTop - box.clientHeight < 60; };
const toEnd = () => { const box = $("messages"); box.scrollTop = box.scrollHeight; sticks = true; };

// A keyboard that appears takes room from the messages, and a picture that is loaded adds some: whoever was at the end stays there.
function stick() {
  const box = $("messages");
  new ResizeObserver(() => { boxHeight = box.clientHeight; if (sticks) toEnd(); }).observe(box);
  box.addEventListener("load", () => { if (sticks) toEnd(); }, true);
}

function append(message) {
  const stay = !sticks && !(message.from?.id === actor(current));
  if (current.behind || (stay && $("messages").childElementCount >= KEPT)) {
    current.behind = true; // whoever reads above has enough to draw; the rest is there when they come back
    if (!stay) return show(current);
  } else $("messages").append(messageNode(message));
  if (!stay && $("messages").childElementCount > DRAWN) { $("messages").firstChild.remove(); current.earlier = true; $("earlier").hidden = false; }
  if (!stay) return toEnd();
  const count = Number($("newer").dataset.count || 0) + 1;
  $("newer").dataset.count = count;
  $("newer").textContent = `${count} new ↓`;
  $("newer").hidden = false;
  return undefined;
}

async function earlier() {
  const box = $("messages"), first = box.querySelector("[data-message]"), height = box.scrollHeight;
  if (!first) return;
  const { messages } = await ask(`earlier?chat=${current.id}&before=${first.dataset.message}`);
  for (const message of messages) current.messages.set(message.message_id, message);
  current.messages = new Map([...current.messages].sort((a, b) => a[0] - b[0]));
  box.prepend(...messages.map(messageNode));
  current.earlier = messages.length === DRAWN;
  $("earlier").hidden = !current.earlier;
  box.scrollTop += box.scrollHeight - height;
}

// ---------------------------------------------------------------- writing

function setText(text) { $("text").value = text; $("text").focus(); suggest(); }

function setContext(next) {
  context = next;
  $("context").hidden = !next;
  if (next) { $("context-text").textContent = next.reply ? `Reply to: ${plain(next.reply)}` : `Edit: ${plain(next.edit)}`; $("text").focus(); }
}

function startEdit(message) { setContext({ edit: message }); setText(message.text); }

async function send() {
  const text = $("text").value.trim();
  if (!text || !current) return;
  const was = context;
  $("text").value = "";
  setContext(null);
  suggest();
  const done = was?.edit ? await act("edit", here({ message_id: was.edit.message_id, text })) : await act("send", here({ text, reply_to: was?.reply?.message_id }));
  if (done === null && !$("text").value) $("text").value = text;
}

function suggest() {
  const text = $("text").value, menu = $("command-menu");
  const found = text.startsWith("/") && !text.includes(" ") ? commands.filter((one) => `/${one.command}`.startsWith(text)) : [];
  menu.hidden = !found.length;
  menu.replaceChildren(...found.map((one) => make("button", { type: "button", onclick: () => { $("text").value = `/${one.command}`; send(); } }, make("strong", {}, `/${one.command}`), ` ${one.description || ""}`)));
  askInline(text);
}

let inlineTimer = 0;
function askInline(text) {
  clearTimeout(inlineTimer);
  const start = `@${bot.username} `;
  if (!text.toLowerCase().startsWith(start.toLowerCase())) { inlineQuery = null; $("inline-results").hidden = true; return; }
  inlineTimer = setTimeout(async () => {
    const query = text.slice(start.length), answer = await act("inline", here({ query }));
    if (answer) inlineQuery = { id: answer.query_id, query };
  }, 300);
}

function takeInline({ query_id, results }) {
  if (inlineQuery && query_id !== inlineQuery.id) return;
  const box = $("inline-results"), query = inlineQuery?.query ?? "";
  box.hidden = false;
  box.replaceChildren(...(results.length ? results.map((result, index) => make("button", { type: "button", onclick: async () => {
    box.hidden = true;
    $("text").value = "";
    await act("choose", here({ query_id, index, query }));
  } }, `${result.title || result.type || result.id}${result.description ? `: ${result.description}` : ""}`)) : [make("span", {}, "No results")]));
}

async function upload(files) {
  const caption = $("text").value.trim();
  $("text").value = "";
  for (const [number, file] of [...files].entries()) {
    const what = /^image\/(jpeg|png|webp)$/.test(file.type) ? "photo" : file.type.startsWith("video/") ? "video" : file.type === "audio/ogg" ? "voice" : file.type.startsWith("audio/") ? "audio" : "document";
    const query = new URLSearchParams({ ...here({}), what, name: file.name, caption: number ? "" : caption });
    const answer = await fetch(`api/upload?${query}`, { method: "POST", body: file });
    if (!answer.ok) toast((await answer.json()).error);
  }
}

// ---------------------------------------------------------------- what goes wrong, and how the bot is

function listFaults(all, chosen) {
  $("fault-list").replaceChildren(...all.map((name) => make("label", {}, make("input", { type: "checkbox", value: name, checked: chosen.includes(name), onchange: setFaults }), ` ${name.replaceAll("_", " ")}`)));
}

function setFaults() {
  const names = [...document.querySelectorAll("#fault-list input:checked")].map((box) => box.value);
  act("faults", { names, rate: Number($("fault-rate").value) });
}

function showState(next) {
  state = next;
  $("bot-name").textContent = (state.target || bot.first_name).split("/").pop();
  const words = state.running ? "running" : state.exit_code !== null ? `ended with exit code ${state.exit_code}` : state.managed ? "starting" : "waits for a bot";
  if ($("bot-state").textContent !== words) $("bot-state").textContent = words;
  $("bot-state").className = `state ${state.running ? "running" : state.exit_code !== null ? "ended" : ""}`;
  $("start").hidden = state.running || !state.managed;
  $("kill").hidden = !state.managed;
  for (const [id, value] of [["fault-rate", state.rate], ["rtt", state.rtt]]) {
    const option = [...$(id).options].find((one) => Math.abs(Number(one.value) - value) < 1e-6);
    if (option && document.activeElement !== $(id)) option.selected = true;
  }
  const struck = Object.values(state.struck).reduce((sum, count) => sum + count, 0);
  $("counters").title = `${struck} faults, ${state.late} times 429, ${state.kills} kills`;
  $("counters").replaceChildren(state.survived ? make("span", { class: "survived" }, `survived ${state.survived}`) : "", state.survived && state.waiting ? ", " : "",
    state.waiting ? make("span", { class: state.waiting > 5 ? "lost" : "" }, `${state.waiting} waiting`) : "");
  showOutput(state.output.join("\n"));
}

// A handler that failed says nothing in the chat: what the bot prints of it comes up by itself.
function showOutput(text) {
  const box = $("output"), failures = (words) => words.split("Traceback (most recent call last)").length;
  if (box.textContent === text) return;
  const failed = failures(text) > failures(box.textContent);
  box.textContent = text;
  if (failed) openOutput(true);
  if (failed && source) toast("Something failed: see the bot's output, beside its calls");
  box.scrollTop = box.scrollHeight;
}

function openOutput(open) {
  $("show-output").checked = open;
  $("output").hidden = !open;
  $("output").scrollTop = $("output").scrollHeight;
}

function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  $("live").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 4000);
}

// ---------------------------------------------------------------- a test of it

async function openSave() {
  const { lines, name } = await ask("story");
  $("save-title").textContent = `Save as ${name}.py`;
  $("save-lines").replaceChildren(...lines.map((line) => make("label", { class: line.answer ? "answer" : "" },
    make("input", { type: "checkbox", checked: true, value: line.index, disabled: !line.answer }), `${line.who}: ${line.text}`)));
  $("save-result").textContent = lines.length ? "" : "Nothing has been said yet.";
  $("save-source").hidden = true;
  $("save-go").disabled = !lines.length;
  $("save-dialog").showModal();
}

async function saveTest() {
  $("save-go").disabled = true;
  $("save-result").textContent = "Playing it again …";
  const without = [...document.querySelectorAll("#save-lines input:not(:checked)")].map((box) => Number(box.value));
  try {
    const saved = await ask("save", { without });
    const passes = saved.passes ? "It passes" : `It does not pass: ${saved.problem}`;
    $("save-result").textContent = `Written to ${saved.path}. ${passes}${saved.passes && saved.fails ? ", and fails with one answer changed" : ""}.`;
    $("save-source").textContent = saved.source;
    $("save-source").hidden = false;
  } catch (problem) { $("save-result").textContent = problem.message; }
  $("save-go").disabled = false;
}

// ---------------------------------------------------------------- hands

function view(name) {
  document.body.dataset.view = name;
  for (const tab of document.querySelectorAll("[data-show]")) tab.setAttribute("aria-current", String(tab.dataset.show === name));
}

function theme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("syncbot-theme", document.documentElement.dataset.theme); } catch { /* no storage, no memory */ }
}

function onKey(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); view("chats"); $("chat-filter").focus(); }
  else if (event.key === "Escape" && !document.querySelector("dialog[open]")) { setContext(null); $("command-menu").hidden = $("inline-results").hidden = true; view("chat"); $("text").focus(); }
}

function onTextKey(event) {
  if (event.isComposing || event.keyCode === 229) return; // Enter that confirms a word of an input method sends nothing
  if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); send(); }
  else if (event.key === "ArrowUp" && !$("text").value) {
    const own = [...current.messages.values()].reverse().find((message) => message.from?.id === actor(current) && message.text && !message.deleted);
    if (own) { event.preventDefault(); startEdit(own); }
  }
}

function bind() {
  $("composer").addEventListener("submit", (event) => { event.preventDefault(); send(); });
  $("text").addEventListener("keydown", onTextKey);
  $("text").addEventListener("input", suggest);
  $("chat-filter").addEventListener("input", drawChats);
  $("chat-filter").addEventListener("keydown", (event) => { if (event.key === "Enter") document.querySelector("[data-chat]")?.click(); });
  $("actor").addEventListener("change", () => { current.actor = Number($("actor").value); show(current); });
  $("block").addEventListener("click", () => act("block", here({ blocked: !current.blocked })));
  $("add").addEventListener("submit", async (event) => {
    event.preventDefault();
    const kind = $("add-kind").value, name = $("add-name").value;
    const done = await act(kind === "user" ? "add_user" : "add_chat", { name, type: kind });
    if (done) { $("add-name").value = ""; setTimeout(() => show(chats.get(done.chat)), 100); }
  });
  $("earlier").addEventListener("click", earlier);
  $("newer").addEventListener("click", () => (current.behind ? show(current) : toEnd()));
  stick();
  $("messages").addEventListener("scroll", () => {
    if ($("messages").clientHeight === boxHeight) sticks = atEnd(); // otherwise it was the room that changed, not the reader
    if (atEnd() && current?.behind) show(current);
    else if (atEnd()) { $("newer").hidden = true; $("newer").dataset.count = 0; }
  });
  $("context-cancel").addEventListener("click", () => setContext(null));
  $("commands").addEventListener("click", () => setText("/"));
  $("attach").addEventListener("click", () => $("attach-menu").showModal());
  $("attach-menu").addEventListener("close", () => {
    const chosen = $("attach-menu").returnValue;
    if (chosen === "file") $("file").click(); else if (chosen) act(chosen, here({}));
    $("attach-menu").returnValue = "";
  });
  $("file").addEventListener("change", () => { upload($("file").files); });
  $("fault-rate").addEventListener("change", setFaults);
  $("rtt").addEventListener("change", () => act("rtt", { seconds: Number($("rtt").value) }));
  for (const name of ["late", "kill", "start"]) $(name).addEventListener("click", () => act(name));
  $("theme").addEventListener("click", theme);
  $("show-output").addEventListener("change", () => openOutput($("show-output").checked));
  $("save").addEventListener("click", () => openSave().catch((problem) => toast(problem.message)));
  $("save-go").addEventListener("click", saveTest);
  $("save-close").addEventListener("click", () => $("save-dialog").close());
  for (const tab of document.querySelectorAll("[data-show]")) tab.addEventListener("click", () => view(tab.dataset.show));
  document.addEventListener("keydown", onKey);
  const drop = $("conversation");
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("dropping"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("dropping"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("dropping"); upload(event.dataTransfer.files); });
}

try { const kept = localStorage.getItem("syncbot-theme"); if (kept) document.documentElement.dataset.theme = kept; } catch { /* the system's theme */ }
bind();
refresh().then(() => $("text").focus(), (problem) => toast(problem.message));
