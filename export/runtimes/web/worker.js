// The worker: loads a variant of the bundle, and does what the page asks without holding it up.

import { Bundle } from "./files.js";
import { Classifier } from "./lib/classifier.js";
import { Encoder } from "./lib/encoder.js";
import { ScoringError } from "./lib/fault.js";
import { ONE_LABEL, fileOf, paddedVariants } from "./lib/manifest.js";
import { Confusion } from "./lib/metrics.js";
import { scoredTable } from "./lib/score-table.js";
import { selfcheck } from "./lib/selfcheck.js";
import { openLibrary, openSession } from "./session.js";
import { Tokenizer } from "./vendor/tokenizers.min.mjs";

const PAGE = "runtimes/web/";
const ON_GPU = `${PAGE}vendor/webgpu/`;
const GOLDENS = "golden.jsonl";
const SMALLEST_FIRST = ["quantized", "fp16", "fp32"];
const PIECE_BYTES = 2 ** 13; // of a table, about a window
const WINDOW_ROWS = 128; // between two signs of progress
const PACE_ROWS = 8;

let bundle, classifier, variant, usedFiles;
const running = new Map(); // what can be cancelled, by the question's number

const tasks = { load, score, table, selfcheck: check, pace };

onmessage = async ({ data: { id, task, payload } }) => {
  if (task === "cancel") return running.get(id)?.abort();
  const job = new AbortController();
  running.set(id, job);
  const say = (value) => postMessage({ id, kind: "progress", value });
  try {
    postMessage({ id, kind: "answer", value: await tasks[task](payload, say, job.signal) });
  } catch (error) {
    postMessage({ id, kind: "refusal", value: { name: error.name, message: error.message } });
  }
  running.delete(id);
};

/** Load a variant of the bundle below `root` (null: the smallest); facts of what runs. */
async function load({ root, variant: wanted, backend }, say) {
  const began = performance.now();
  bundle = await Bundle.open(root);
  const { manifest } = bundle;
  const known = paddedVariants(manifest);
  variant = wanted ?? SMALLEST_FIRST.find((name) => known.includes(name)) ?? known[0];
  const file = fileOf(manifest, variant);
  const tell = (bytes) => say({ name: file, bytes, total: manifest.files[file].bytes });
  const [model, { ort, threads }, tokenizer, config, packages] = await Promise.all([
    bundle.read(file, tell),
    openLibrary(backend, bundle),
    json("tokenizer.json"),
    json("tokenizer_config.json"),
    json(`${PAGE}package.json`),
    bundle.read(GOLDENS), // kept with the others, for a self-check without a network
  ]);
  const read = performance.now();
  const session = await openSession(ort, model, backend);
  const opened = performance.now();
  const encoder = new Encoder(new Tokenizer(tokenizer, config), manifest.max_length);
  classifier = new Classifier({ manifest, variant, encoder, session, Tensor: ort.Tensor });
  await classifier.score([manifest.text_columns.length === 2 ? ["", ""] : ""]); // the first run is slower
  const page = Object.keys(manifest.files).filter((name) => name.startsWith(PAGE) && !name.startsWith(ON_GPU));
  usedFiles = [...page, file, "tokenizer.json", "tokenizer_config.json", GOLDENS];
  return {
    manifest,
    hash: bundle.hash,
    variant,
    variants: known.map((name) => [name, name]),
    file,
    bytes: manifest.files[file].bytes,
    backend,
    threads,
    isolated: crossOriginIsolated,
    versions: packages.dependencies,
    usedFiles,
    kept: bundle.kept,
    loadMs: { files: read - began, session: opened - read, first: performance.now() - opened },
  };
}

async function json(name) {
  return JSON.parse(new TextDecoder().decode(await bundle.read(name)));
}

/** Answers to texts, or to pairs of texts; `tokens` counts those that were cut, too. */
async function score({ texts }) {
  const rows = classifier.encode(texts);
  const found = await classifier.logits(rows);
  return found.map((logits, row) => {
    const said = classifier.answer(logits);
    const byLabel = classifier.labels.map((name, place) => [name, said.probabilities?.[place]]);
    return {
      ...said,
      ...(said.probabilities ? { probabilities: Object.fromEntries(byLabel) } : {}),
      logits: Array.from(logits),
      tokenIds: rows[row].ids,
      tokens: lengthOf(texts[row]),
    };
  });
}

/** Tokens of a text, or of a pair, before they are cut. */
function lengthOf(text) {
  const { encoder } = classifier;
  const layout = Array.isArray(text) ? encoder.pair : encoder.single;
  const marks = layout.filter(({ id }) => id !== undefined).length;
  return [text].flat().reduce((sum, part) => sum + encoder.words(part).length, marks);
}

/**
 * Score a table: {blob, rows, seconds, metrics}.
 *
 * Options as of scoredTable, and labelColumn: a name, null for none, or undefined for the manifest's where it is there.
 * Metrics are those of one label out of several; of other models there are none.
 */
async function table({ file, options }, say, signal) {
  const path = file.name ?? "the table";
  const { manifest } = bundle;
  const { textColumns = manifest.text_columns, labelColumn } = options;
  const measured = manifest.problem_type === ONE_LABEL;
  if (labelColumn && !measured) {
    throw new ScoringError("metrics here are those of one label out of several; use bertline infer for this bundle's");
  }
  const confusion = new Confusion(manifest.labels);
  const began = performance.now();
  const parts = [];
  let rows = 0;
  let bytes = 0;

  async function* pieces() {
    for (let start = 0; start < file.size; start += PIECE_BYTES) {
      bytes = Math.min(start + PIECE_BYTES, file.size);
      yield new Uint8Array(await file.slice(start, bytes).arrayBuffer());
    }
  }

  function onRows(scored, columns) {
    const place = measured ? columns.indexOf(labelColumn === undefined ? manifest.label_column : labelColumn) : -1;
    if (labelColumn && place < 0) {
      throw new ScoringError(`${path}: has no column '${labelColumn}' but ${columns.join(", ")}; name the label's column`);
    }
    if (place >= 0) for (const { cells, label } of scored) confusion.add(cells[place], label);
    rows += scored.length;
    say({ rows, bytes });
  }

  const how = { ...options, textColumns, windowRows: WINDOW_ROWS, onRows, signal };
  for await (const piece of scoredTable(classifier, pieces(), path, how)) {
    parts.push(new Blob([piece])); // which the browser may put on disk
  }
  const { accuracy, mcc, counts, unknown } = confusion;
  const labelled = confusion.rows + unknown > 0;
  return {
    blob: new Blob(parts, { type: "text/tab-separated-values" }),
    rows,
    seconds: (performance.now() - began) / 1000,
    metrics: labelled ? { rows: confusion.rows, accuracy, mcc, confusion: counts, labels: manifest.labels, unknown } : null,
  };
}

/** The steps of the self-check; `files` are those to verify, `all` for every one, or else what this page uses. */
async function check({ all = false, files = all ? Object.keys(bundle.manifest.files) : usedFiles }, say) {
  const entries = Object.fromEntries(files.map((name) => [name, bundle.manifest.files[name]]));
  const checked = {
    manifest: { ...bundle.manifest, files: entries },
    read: (name) => bundle.read(name),
    isAsStated: (name) => bundle.isAsStated(name),
  };
  const steps = [];
  for await (const step of selfcheck(checked, variant, () => classifier)) {
    steps.push(step);
    say(step);
  }
  return steps;
}

/** Milliseconds that a small batch of stored examples takes: the best of three. */
async function pace() {
  const lines = new TextDecoder().decode(await bundle.read(GOLDENS)).split("\n").slice(0, PACE_ROWS);
  const rows = lines.map((line) => JSON.parse(line)).map(({ input_ids: ids, token_type_ids: types }) => ({ ids, types }));
  const taken = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const began = performance.now();
    await classifier.run(rows);
    taken.push(performance.now() - began);
  }
  return Math.min(...taken);
}
