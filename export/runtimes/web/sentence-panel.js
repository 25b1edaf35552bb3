// Type a sentence, or two, and see the label as you type. One question is under way at a time; of those that come
// meanwhile only the last is asked, so that an answer is never older than the one before it.

import { byId, count, element, percent } from "./dom.js";
import { formatNumber } from "./lib/table.js";

export class SentencePanel {
  constructor(manifest, score) {
    this.score = score;
    this.boxes = ["first", "second"].slice(0, manifest.text_columns.length).map((name) => byId(`${name}-text`));
    if (this.boxes.length === 2) {
      byId("sentence-title").textContent = "Two sentences";
      byId("pair").hidden = false;
      ["first", "second"].forEach((name, place) => (byId(`${name}-label`).textContent = manifest.text_columns[place]));
    }
    this.maxLength = manifest.max_length;
    this.asking = false;
    for (const box of this.boxes) box.addEventListener("input", () => this.update());
    byId("sentence-form").addEventListener("submit", (event) => event.preventDefault());
    this.update();
  }

  /** Ask for what is in the boxes now; again, once the model is another. */
  async update() {
    this.changed = true;
    if (this.asking) return;
    this.asking = true;
    while (this.changed) {
      this.changed = false;
      const texts = this.boxes.map((box) => box.value);
      if (texts.every((text) => text.trim() === "")) {
        this.showNothing();
        continue;
      }
      const start = performance.now();
      try {
        const [answer] = await this.score([texts.length === 2 ? texts : texts[0]]);
        if (!this.changed) this.show(answer, performance.now() - start);
      } catch (error) {
        this.showNothing(error.message);
      }
    }
    this.asking = false;
  }

  show(answer, milliseconds) {
    const said = byId("answer");
    said.classList.remove("none");
    said.textContent = inWords(answer);
    byId("shares").replaceChildren(
      ...Object.entries(answer.probabilities ?? {}).map(([label, share]) => {
        const item = element(
          "li",
          {},
          element("span", { textContent: label }),
          element("span", { className: "number", textContent: percent(share) }),
        );
        item.style.setProperty("--share", share);
        return item;
      }),
    );
    const cut = answer.tokens > this.maxLength ? `, cut at ${count(this.maxLength)}` : "";
    byId("answer-facts").textContent = `${count(answer.tokens)} tokens${cut}; ${milliseconds.toFixed(0)} ms`;
  }

  showNothing(message = "Type, and the answer comes as you go.") {
    byId("answer").classList.add("none");
    byId("answer").textContent = message;
    byId("shares").replaceChildren();
    byId("answer-facts").textContent = "";
  }
}

/** The label and its probability, several labels, or a number. */
function inWords({ label, score, labels, prediction }) {
  if (labels) return labels.join(", ") || "none of the labels";
  return label === undefined ? formatNumber(prediction) : `${label}, ${percent(score)}`;
}
