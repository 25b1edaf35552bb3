// Small helpers for the page; all text goes in as text, never as markup.

export const byId = (id) => document.getElementById(id);

/** An element with properties and children (elements or texts). */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Show one of several parts; none where `shown` is null. */
export function showOnly(shown, parts) {
  for (const part of parts) byId(part).hidden = part !== shown;
}

export const count = (number) => number.toLocaleString("en");
export const percent = (share) => `${(100 * share).toFixed(1)}%`;

/** Bytes as the reader's system would say them. */
export function size(bytes) {
  if (bytes < 1e3) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A select's options, by value and text; keeps none of those before. */
export function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => element("option", { value, textContent: text })));
  select.value = chosen;
}
