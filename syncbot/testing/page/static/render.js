// Turns Bot API values into nodes. Nothing here is ever parsed as HTML: what a bot says stays text.

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote", expandable_blockquote: "blockquote" };

export function safeLink(address, text) {
  let scheme = "";
  try { scheme = new URL(address).protocol; } catch { /* no address at all */ }
  if (!["http:", "https:", "tg:", "mailto:"].includes(scheme)) return make("span", {}, text);
  return make("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}

function entityNode(entity, raw, children, act) {
  const tag = TAGS[entity.type];
  if (tag) return make(tag, {}, ...children);
  switch (entity.type) {
    case "text_link": return safeLink(entity.url, raw);
    case "url": return safeLink(/^[a-z]+:/i.test(raw) ? raw : `https://${raw}`, raw);
    case "email": return safeLink(`mailto:${raw}`, raw);
    case "bot_command": return make("button", { type: "button", class: "inline", onclick: () => act.say(raw) }, raw);
    case "spoiler": {
      const node = make("button", { type: "button", class: "spoiler", "aria-expanded": "false", "aria-label": "Hidden text; press to show it" }, ...children);
      node.addEventListener("click", () => { node.setAttribute("aria-expanded", "true"); node.removeAttribute("aria-label"); });
      return node;
    }
    default: return make("span", { class: entity.type }, ...children);
  }
}

// Offsets and lengths count UTF-16 code units, as JavaScript's own strings do.
export function formatted(text, entities, act) {
  const sorted = [...(entities || [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const build = (start, end, inside) => {
    const nodes = [];
    let at = start;
    for (let n = 0; n < inside.length;) {
      const entity = inside[n];
      const from = Math.max(entity.offset, at), to = Math.min(entity.offset + entity.length, end);
      const nested = [];
      n += 1;
      while (n < inside.length && inside[n].offset < to) nested.push(inside[n++]);
      if (from >= to) continue;
      if (from > at) nodes.push(text.slice(at, from));
      nodes.push(entityNode(entity, text.slice(from, to), build(from, to, nested), act));
      at = to;
    }
    if (at < end) nodes.push(text.slice(at, end));
    return nodes;
  };
  return build(0, text.length, sorted);
}

function fileNode(kind, file, name) {
  const address = `file/${encodeURIComponent(file.file_id)}`;
  const link = () => make("a", { href: address, download: name || kind }, `⬇ ${name || kind} (${size(file.file_size)})`);
  const tag = { photo: "img", sticker: "img", video: "video", animation: "video", video_note: "video", voice: "audio", audio: "audio" }[kind];
  if (!tag) return link();
  const node = make(tag, tag === "img" ? { src: address, alt: kind } : { src: address, controls: true, preload: "metadata", "aria-label": kind });
  node.addEventListener("error", () => node.replaceWith(link()));
  return node;
}

function size(bytes) {
  if (!bytes) return "0 B";
  return bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

function pollNode(message, act) {
  const poll = message.poll;
  const chosen = new Set();
  const node = make("div", { class: "poll", role: "group", "aria-label": `Poll: ${poll.question}` }, make("strong", {}, poll.question));
  poll.options.forEach((option, number) => {
    const button = make("button", { type: "button", disabled: poll.is_closed, "aria-pressed": "false" }, make("span", {}, option.text), make("span", {}, String(option.voter_count)));
    button.addEventListener("click", () => {
      if (!poll.allows_multiple_answers) return act.vote(message, [number]);
      if (chosen.has(number)) chosen.delete(number); else chosen.add(number);
      button.setAttribute("aria-pressed", String(chosen.has(number)));
    });
    node.append(button);
  });
  if (poll.allows_multiple_answers && !poll.is_closed) node.append(make("button", { type: "button", onclick: () => act.vote(message, [...chosen]) }, "Vote"));
  const quiz = poll.type === "quiz" ? "quiz, " : "";
  node.append(make("small", {}, `${quiz}${poll.total_voter_count} votes${poll.is_closed ? ", closed" : ""}`));
  return node;
}

function richText(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(richText).join("");
  if (value && typeof value === "object") return Object.entries(value).filter(([name]) => name !== "type").map(([, each]) => (typeof each === "object" ? richText(each) : name0(each))).join("");
  return "";
}
const name0 = (value) => (typeof value === "string" ? value : "");

const MEDIA = ["video", "animation", "audio", "voice", "video_note", "sticker", "document"];

export function contentNodes(message, act) {
  const nodes = [];
  if (message.photo) nodes.push(fileNode("photo", message.photo[message.photo.length - 1]));
  for (const kind of MEDIA) {
    if (message[kind] && !(kind === "document" && message.animation)) nodes.push(fileNode(kind, message[kind], message[kind].file_name || message[kind].title));
  }
  if (message.poll) nodes.push(pollNode(message, act));
  if (message.venue) nodes.push(make("strong", {}, message.venue.title), make("div", {}, message.venue.address));
  if (message.location) {
    const { latitude, longitude } = message.location;
    nodes.push(make("div", {}, "📍 ", safeLink(`https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}`, `${latitude}, ${longitude}`)));
  }
  if (message.contact) nodes.push(make("div", {}, `👤 ${[message.contact.first_name, message.contact.last_name].filter(Boolean).join(" ")}, ${message.contact.phone_number}`));
  if (message.dice) nodes.push(make("div", {}, `${message.dice.emoji} ${message.dice.value}`));
  if (message.invoice) nodes.push(make("div", {}, `🧾 ${message.invoice.title}: ${(message.invoice.total_amount / 100).toFixed(2)} ${message.invoice.currency}`));
  if (message.game) nodes.push(make("div", {}, `🎮 ${message.game.title}`));
  if (message.checklist) nodes.push(make("strong", {}, message.checklist.title || "Checklist"), ...(message.checklist.tasks || []).map((task) => make("div", {}, `☐ ${task.text}`)));
  if (message.rich_message) nodes.push(make("div", { class: "text" }, richText(message.rich_message)));
  const text = message.text ?? message.caption;
  if (text) nodes.push(make("div", { class: "text" }, ...formatted(text, message.entities || message.caption_entities, act)));
  return nodes;
}

export function serviceText(message) {
  const names = (users) => users.map((user) => user.first_name).join(", ");
  if (message.new_chat_members) return `${names(message.new_chat_members)} joined`;
  if (message.left_chat_member) return `${message.left_chat_member.first_name} left`;
  if (message.pinned_message) return "A message was pinned";
  if (message.new_chat_title) return `The group is now called ${message.new_chat_title}`;
  return "";
}

export function plain(message) {
  const text = message.text || message.caption || serviceText(message);
  if (text) return text;
  const kind = ["photo", ...MEDIA, "poll", "venue", "location", "contact", "dice", "invoice", "game", "checklist", "rich_message"].find((name) => message[name]);
  return kind ? `(${kind.replace("_", " ")})` : "(message)";
}

export function inlineKeyboard(message, act) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows?.length) return null;
  return make("div", { class: "keyboard", role: "group", "aria-label": "Buttons" }, ...rows.map((row, r) => make("div", { class: "row" }, ...row.map((button, c) => {
    if (button.url) { const link = safeLink(button.url, `${button.text} ↗`); link.classList.add("button"); return link; }
    return make("button", { type: "button", disabled: "disabled" in button, onclick: () => act.press(message, button, r, c) }, button.text);
  }))));
}

function about(params) {
  const words = params.text ?? params.caption ?? params.question ?? params.action ?? "";
  return typeof words === "string" ? words.slice(0, 80) : "";
}

export function callNode(call) {
  const ok = call.status === 200;
  const tries = call.tries.length;
  const seconds = tries ? call.tries.reduce((sum, one) => sum + one.seconds, 0) : call.milliseconds / 1000;
  const node = make("details", { "data-number": call.number },
    make("summary", {}, make("span", { class: "method" }, call.method), make("span", { class: "about" }, about(call.params)),
      ok ? null : make("span", { class: "refused" }, String(call.status)),
      tries > 1 ? make("span", { class: "again" }, `×${tries}`) : null,
      make("span", { class: "figure" }, seconds < 10 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`)));
  node.facts = call;
  // The inside of a call is made when it is opened: most never are.
  node.addEventListener("toggle", () => {
    if (!node.open || node.childElementCount > 1) return;
    const at = new Date(call.time * 1000).toLocaleTimeString();
    const list = make("ol", {}, ...call.tries.map((one) => make("li", {}, `${one.outcome}, ${Math.round(one.seconds * 1000)} ms, by way of ${one.proxy}`)));
    node.append(make("div", { class: "figure" }, `${at}, status ${call.status}`), list, make("pre", {}, JSON.stringify(call.params, null, 1)),
      ...call.files.map((file) => make("div", { class: "figure" }, `${file.field}: ${file.name}, ${size(file.size)}`)));
  });
  return node;
}
