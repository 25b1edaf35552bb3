// Choose or drop a table, say how to read it, and get it scored.

import { byId, count, element, fill, percent, showOnly, size } from "./dom.js";
import { NUMBER, ONE_LABEL, SEVERAL } from "./lib/manifest.js";

const HEAD_BYTES = 2 ** 16; // of the file, to show its first lines
const SHOWN_ROWS = 3;
const SHOWN_CHARACTERS = 60;
const PARTS = ["chosen", "running", "done"];
const NO_LABEL = "";
const ADDED = {
  [ONE_LABEL]: "What to add, beside label and score",
  [SEVERAL]: "What to add, beside labels and probabilities",
  [NUMBER]: "What to add, beside the number",
};

export class TablePanel {
  constructor(manifest, scoreTable) {
    this.manifest = manifest;
    this.scoreTable = scoreTable;
    this.texts = ["text-column", "pair-column"].slice(0, manifest.text_columns.length);
    if (this.texts.length === 2) {
      byId("pair-field").hidden = false;
      this.texts.forEach((id, place) => (byId(`${id}-label`).textContent = `Column of ${manifest.text_columns[place]}`));
    }
    const { problem_type: problem } = manifest;
    byId("label-field").hidden = problem !== ONE_LABEL; // the page has no metrics of others
    byId("probabilities-field").hidden = problem !== ONE_LABEL; // of several labels they are always there
    byId("added").textContent = ADDED[problem];
    const input = byId("file");
    input.addEventListener("change", () => {
      if (input.files.length) this.choose(input.files[0]);
      input.value = ""; // so that the same file, corrected, can be chosen again
    });
    const drop = byId("drop");
    for (const name of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", name === "dragover");
      });
    }
    drop.addEventListener("drop", ({ dataTransfer }) => {
      if (dataTransfer.files.length) this.choose(dataTransfer.files[0]);
    });
    // A file that misses its place must not take the page's.
    for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
    byId("header").addEventListener("change", () => this.describe());
    byId("names").addEventListener("input", () => this.describe());
    byId("table-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.start();
    });
    byId("cancel").addEventListener("click", () => this.job?.cancel());
    byId("again").addEventListener("click", () => showOnly("chosen", PARTS));
  }

  async choose(file) {
    this.job?.cancel();
    this.job = null;
    this.file = file;
    const head = await file.slice(0, HEAD_BYTES).text();
    const lines = head.split("\n").slice(0, SHOWN_ROWS + 1);
    this.head = lines.map((line) => line.replace(/\r$/, "").split("\t")).filter((cells) => cells.join() !== "");
    byId("file-name").textContent = file.name;
    byId("file-size").textContent = size(file.size);
    byId("file-button").textContent = "Choose another";
    byId("header").checked = true;
    byId("names").value = "";
    this.refuse(null);
    this.describe();
    showOnly("chosen", PARTS);
  }

  /** Show the first lines, and offer the columns, as the file is described. */
  describe() {
    const header = byId("header").checked;
    const columns = this.columns();
    byId("names-field").hidden = header;
    const rows = this.head.slice(header ? 1 : 0, SHOWN_ROWS + (header ? 1 : 0));
    const cells = (tag, row) => element("tr", {}, ...row.map((cell) => element(tag, { textContent: shortened(cell) })));
    byId("preview").replaceChildren(
      element("thead", {}, cells("th", columns)),
      element("tbody", {}, ...rows.map((row) => cells("td", row))),
    );
    const offered = columns.map((name) => [name, name]);
    this.texts.forEach((id, place) => {
      const wanted = this.manifest.text_columns[place];
      fill(byId(id), offered, columns.includes(wanted) ? wanted : columns[longest(rows)]);
    });
    const label = columns.includes(this.manifest.label_column) ? this.manifest.label_column : NO_LABEL;
    fill(byId("label-column"), [[NO_LABEL, "none"], ...offered], label);
  }

  columns() {
    const first = this.head[0] ?? [""];
    if (byId("header").checked) return first;
    return this.names() ?? first.map((_, place) => `${place + 1}`);
  }

  /** The names that were typed for a file without a header, or null. */
  names() {
    const typed = byId("names").value.trim();
    return byId("header").checked || !typed ? null : typed.split(",").map((name) => name.trim());
  }

  async start() {
    const options = {
      columns: byId("header").checked ? null : this.columns(),
      textColumns: this.texts.map((id) => byId(id).value),
      labelColumn: (this.manifest.problem_type === ONE_LABEL && byId("label-column").value) || null,
      probabilities: byId("probabilities").checked,
      logits: byId("logits").checked,
      tokenIds: byId("token-ids").checked,
    };
    const { file } = this;
    const began = performance.now();
    this.refuse(null);
    this.progress({ rows: 0, bytes: 0 }, began, file);
    showOnly("running", PARTS);
    byId("cancel").focus();
    const job = this.scoreTable(file, options, (at) => this.job === job && this.progress(at, began, file));
    this.job = job;
    try {
      const result = await job;
      if (this.job === job) this.show(result, file);
    } catch (error) {
      if (this.job !== job) return; // another file took its place
      showOnly("chosen", PARTS);
      this.refuse(error.name === "AbortError" ? "Cancelled; nothing was written." : error.message);
      byId("start").focus();
    }
  }

  progress({ rows, bytes }, began, file) {
    const seconds = (performance.now() - began) / 1000;
    const rate = rows ? `, ${count(Math.round(rows / seconds))} rows/s` : "";
    byId("running-text").textContent = `${count(rows)} rows scored${rate}`;
    byId("running-bar").value = bytes / (file.size || 1);
  }

  show({ blob, rows, seconds, metrics }, file) {
    byId("done-text").textContent =
      `${count(rows)} rows in ${seconds.toFixed(1)} s, ${count(Math.round(rows / seconds))} rows/s`;
    const link = byId("download");
    if (link.href.startsWith("blob:")) URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(blob);
    link.download = `${file.name.replace(/\.[^.]*$/, "")}.scored.tsv`;
    link.textContent = `Download ${link.download}`;
    byId("metrics").hidden = !metrics;
    if (metrics) this.showMetrics(metrics);
    showOnly("done", PARTS);
    link.focus();
  }

  showMetrics({ rows, accuracy, mcc, labels, confusion, unknown }) {
    const others = unknown === 1 ? "1 row has a label that is" : `${count(unknown)} rows have labels that are`;
    byId("unknown").textContent = unknown ? `${others} none of the model's; the metrics leave it out.` : "";
    byId("known").hidden = rows === 0;
    const tile = ([name, figure]) =>
      element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: figure }));
    const tiles = [["MCC", mcc.toFixed(4)], ["accuracy", percent(accuracy)]];
    byId("tiles").replaceChildren(...tiles.map(tile));
    const head = (text, scope) => element("th", { textContent: text, scope, className: scope === "col" ? "number" : "" });
    byId("confusion").replaceChildren(
      element("thead", {}, element("tr", {}, element("td"), ...labels.map((label) => head(label, "col")))),
      element(
        "tbody",
        {},
        ...confusion.map((counts, place) =>
          element(
            "tr",
            {},
            head(labels[place], "row"),
            ...counts.map((rows) => element("td", { className: "number", textContent: count(rows) })),
          ),
        ),
      ),
    );
  }

  refuse(message) {
    byId("table-error").hidden = message === null;
    byId("table-error").textContent = message ?? "";
  }
}

function shortened(cell) {
  return cell.length > SHOWN_CHARACTERS ? `${cell.slice(0, SHOWN_CHARACTERS)}…` : cell;
}

/** The place of the column with the longest texts: in a table without known names, that is where sentences are. */
function longest(rows) {
  const lengths = (rows[0] ?? [""]).map((_, place) => rows.reduce((sum, row) => sum + (row[place]?.length ?? 0), 0));
  return lengths.indexOf(Math.max(...lengths));
}
