// A bundle proves itself here: hashes, token ids, logits of single rows, logits in a padded batch.

const INVARIANT_WITHIN = 1e-5; // |Δlogit| of a row alone and in a padded batch
const EXTRA_PADDING = 16; // tokens

/**
 * The steps in order, {name, passed, finding} each; after changed files there are no more.
 *
 * bundle: {manifest, read(name) → bytes, isAsStated(name) → boolean}; open() → Classifier of that variant.
 */
export async function* selfcheck(bundle, variant, open) {
  const { manifest } = bundle;
  const changed = [];
  for (const name of Object.keys(manifest.files)) if (!(await bundle.isAsStated(name))) changed.push(name);
  const count = Object.keys(manifest.files).length;
  const said = changed.length ? `missing or changed: ${changed.join(", ")}` : `${count} files are as the manifest says`;
  yield { name: "hashes", passed: changed.length === 0, finding: said };
  if (changed.length) return;

  const classifier = await open();
  const lines = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await bundle.read("golden.jsonl")).split("\n");
  const goldens = lines.filter(Boolean).map((line) => JSON.parse(line));
  const found = classifier.encode(goldens.map(({ text, pair }) => (pair === null ? text : [text, pair])));
  const pairs = goldens.map((golden, place) => ({ golden, ids: found[place].ids }));
  const differing = pairs.filter(({ golden, ids }) => `${golden.input_ids}` !== `${ids}`);
  const names = differing.map(({ golden, ids }) => `; ${golden.tag} ${firstDifference(golden, ids)}`);
  yield {
    name: "token ids",
    passed: differing.every(({ golden }) => golden.tag !== "core"),
    finding: `${goldens.length - differing.length} of ${goldens.length} goldens have the stored ids${names.join("")}`,
  };

  const stored = goldens.map(({ input_ids: ids, token_type_ids: types }) => ({ ids, types }));
  const alone = [];
  for (const row of stored) alone.push(...(await classifier.run([row])));
  const { golden_tolerance: allowed, batch_invariant: invariant } = manifest.variants[variant];
  const expected = goldens.map(({ logits }) => logits[variant].map(Math.fround));
  const off = farthest(alone, expected);
  const worst = off <= allowed ? "" : worstLogit(goldens, alone, expected, classifier.labels);
  yield {
    name: "logits",
    passed: off <= allowed,
    finding: `max |Δlogit| ${brief(off)}, allowed ${brief(allowed)}${worst}`,
  };

  const longest = Math.max(...stored.map(({ ids }) => ids.length));
  const room = Math.min(EXTRA_PADDING, (manifest.tokenizer.positions ?? manifest.max_length) - longest);
  let apart = 0;
  for (const further of [0, room]) apart = Math.max(apart, farthest(alone, await classifier.run(stored, further)));
  const limit = invariant ? `allowed ${brief(INVARIANT_WITHIN, 0)}` : "stated, not limited";
  yield {
    name: "padding",
    passed: !invariant || apart <= INVARIANT_WITHIN,
    finding: `alone and in a padded batch: max |Δlogit| ${brief(apart)}, ${limit}`,
  };
}

/** A step as a line of text. */
export function stepLine({ name, passed, finding }) {
  return `${passed ? "ok    " : "FAILED"}  ${name.padEnd(10)} ${finding}`;
}

/** Where the token ids found leave the stored ones. */
function firstDifference({ text, input_ids: stored }, ids) {
  let place = 0;
  while (stored[place] === ids[place]) place += 1;
  return `${shown(text)} differs at token ${place}: expected ${stored[place] ?? "none"}, found ${ids[place] ?? "none"}`;
}

/** The logit that is farthest from the stored one. */
function worstLogit(goldens, rows, others, labels) {
  const apart = distances(rows, others);
  const place = apart.indexOf(Math.max(...apart));
  const [row, label] = [Math.floor(place / labels.length), place % labels.length];
  const [found, expected] = [rows, others].map((logits) => logits[row][label].toFixed(6));
  return `; worst: ${shown(goldens[row].text)} has ${found} for label ${labels[label]}, expected ${expected}`;
}

function shown(text) {
  return JSON.stringify(Array.from(text).slice(0, 40).join(""));
}

/** Largest |Δlogit| of two lists of rows. */
function farthest(rows, others) {
  return Math.max(...distances(rows, others));
}

/** |Δlogit| of every row and label; a NaN counts as infinitely far. */
function distances(rows, others) {
  const apart = rows.flatMap((row, place) => Array.from(row, (value, label) => Math.abs(value - others[place][label])));
  return apart.map((distance) => (Number.isNaN(distance) ? Infinity : distance));
}

function brief(value, digits = 1) {
  if (value === Infinity) return "inf";
  return value.toExponential(digits).replace(/e([+-])(\d)$/, "e$10$2");
}
