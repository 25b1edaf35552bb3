// A table in, the same table with answers out: the columns that `bertline infer` writes.

import { ScoringError } from "./fault.js";
import { NUMBER, SEVERAL } from "./manifest.js";
import { TableReader, formatNumber } from "./table.js";

const WINDOW_ROWS = 512; // between two signs of progress

/**
 * The scored table, in pieces of text. `chunks` are the table's bytes, Uint8Array each; `path` is for messages.
 *
 * textColumns: one or two names; columns: names for a table without a header; probabilities, logits, tokenIds: further
 * columns; windowRows: rows that are sorted by length together; onRows([{cells, label}], columns) hears each window;
 * signal: ends it. Throws ScoringError.
 */
export async function* scoredTable(classifier, chunks, path, options) {
  const { columns = null, textColumns, windowRows = WINDOW_ROWS, onRows = () => {}, signal } = options;
  const reader = new TableReader(path, columns);
  let places = null;
  let waiting = [];

  async function* windows(least) {
    while (waiting.length >= least) {
      const rows = waiting.slice(0, windowRows);
      waiting = waiting.slice(windowRows);
      const texts = rows.map((cells) => places.map((place) => cells[place]));
      const encoded = classifier.encode(texts.map((text) => (text.length === 2 ? text : text[0])));
      const logits = await classifier.logits(encoded, signal);
      const answers = logits.map((values) => classifier.answer(values));
      onRows(rows.map((cells, row) => ({ cells, label: answers[row].label })), reader.columns);
      yield rows.map((cells, row) => line(cells, answers[row], logits[row], encoded[row].ids, options)).join("");
    }
  }

  function* head() {
    if (places !== null || reader.columns === null) return;
    places = textColumns.map((name) => placeOf(name, reader.columns, path));
    const added = addedColumns(classifier, options);
    const twice = reader.columns.find((name) => added.includes(name));
    if (twice) throw new ScoringError(`${path}: '${twice}' is what the scores are called; rename that column`);
    yield [...reader.columns, ...added].join("\t") + "\n";
  }

  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    waiting = waiting.concat(reader.push(chunk));
    yield* head();
    yield* windows(windowRows);
  }
  waiting = waiting.concat(reader.end());
  if (reader.number === 1 && !columns) {
    throw new ScoringError(`${path}: has a header and no rows; give a table with at least one row`);
  }
  yield* head();
  yield* windows(1);
}

/** The place of a column in a row. */
export function placeOf(name, columns, path) {
  const place = columns.indexOf(name);
  if (place < 0) {
    throw new ScoringError(`${path}: has no column '${name}' but ${columns.join(", ")}; see --text-column`);
  }
  if (columns.includes(name, place + 1)) {
    throw new ScoringError(`${path}: several columns are called '${name}'; rename all but one`);
  }
  return place;
}

function addedColumns({ labels, problem }, { probabilities, logits, tokenIds }) {
  if (problem === NUMBER && probabilities) {
    throw new ScoringError("--probabilities: this bundle predicts a number, which has none; leave it out");
  }
  return [
    problem === NUMBER ? "prediction" : "predicted_label",
    ...(problem === NUMBER || problem === SEVERAL ? [] : ["score"]),
    ...(probabilities || problem === SEVERAL ? labels.map((label) => `prob_${label}`) : []),
    ...(logits ? labels.map((label) => `logit_${label}`) : []),
    ...(tokenIds ? ["token_ids"] : []),
  ];
}

function line(cells, answer, values, ids, { probabilities, logits, tokenIds }) {
  const { labels, probabilities: shares } = answer;
  const added = labels ? [labels.join(",")] : [];
  if ("prediction" in answer) added.push(formatNumber(answer.prediction));
  if ("label" in answer) added.push(answer.label, formatNumber(answer.score));
  if (labels || probabilities) added.push(...Array.from(shares, formatNumber));
  if (logits) added.push(...Array.from(values, formatNumber));
  if (tokenIds) added.push(ids.join(" "));
  return [...cells, ...added].join("\t") + "\n";
}
