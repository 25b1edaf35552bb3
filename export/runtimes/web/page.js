// The page: loads the bundle two folders above it, says in which state it is, and answers scripts as `window.bertline`.

import { CheckPanel } from "./check-panel.js";
import { byId, count, element, fill, size } from "./dom.js";
import { Engine } from "./engine.js";
import { whyNoGraphics, whyNotThese } from "./graphics.js";
import { SentencePanel } from "./sentence-panel.js";
import { lacking } from "./support.js";
import { TablePanel } from "./table-panel.js";

const ROOT = new URL("../../", import.meta.url).href;
const asked = new URL(location.href).searchParams; // ?variant=fp32, ?backend=wasm

let engine; // what answers now

/** What scripts may use, as tests and benchmarks do. */
const bertline = {
  facts: { offline: "not yet" },
  timings: {}, // milliseconds since the page was asked for
  ready: null, // a promise of the facts
  /** Of texts, or pairs of texts: [{label, score, probabilities, logits, tokenIds, tokens}]. */
  score: async (texts) => {
    const answers = await engine.ask("score", { texts });
    bertline.timings.firstAnswer ??= performance.now();
    return answers;
  },
  /** Of a TSV file (a Blob with a name): a promise of {blob, rows, seconds, metrics}, which has `cancel()`. */
  scoreTable: (file, options = {}, onProgress = undefined) => engine.ask("table", { file, options }, onProgress),
  /** The four steps, [{name, passed, finding}]; with `all`, of every file of the bundle. */
  selfcheck: ({ all = false } = {}, onStep = undefined) => engine.ask("selfcheck", { all }, onStep),
};

async function begin() {
  const missing = lacking();
  if (missing) {
    become("unsupported", "This page cannot run in this browser", missing);
    throw new Error(missing);
  }
  try {
    const loaded = await load({ variant: asked.get("variant") }, showLoading);
    use(loaded);
  } catch (error) {
    become("failed", "The bundle cannot be used", error.message);
    throw error;
  }
  const { manifest } = bertline.facts;
  const sentences = new SentencePanel(manifest, bertline.score);
  new TablePanel(manifest, bertline.scoreTable);
  new CheckPanel(bertline.facts, bertline.selfcheck);
  fill(byId("variant"), bertline.facts.variants, bertline.facts.variant);
  byId("variant").addEventListener("change", () => change(byId("variant").value, sentences));
  byId("about").textContent = `Labels ${manifest.labels.join(", ")}; up to ${count(manifest.max_length)} tokens`;
  become("ready");
  bertline.timings.ready = performance.now();
  stayOffline();
  tryGraphics();
  return bertline.facts;
}

/** Start a worker with a variant of the bundle; BundleFault and others say why not. */
async function load(how, onProgress) {
  const started = new Engine();
  try {
    return { started, facts: await started.ask("load", { root: ROOT, backend: "wasm", ...how }, onProgress) };
  } catch (error) {
    started.end();
    throw error;
  }
}

/** Let a loaded worker answer from now on; the one before finishes what it has begun. */
function use({ started, facts }) {
  engine?.retire();
  engine = started;
  Object.assign(bertline.facts, facts);
  showFacts();
}

async function change(variant, sentences) {
  byId("variant").disabled = true;
  try {
    use(await load({ variant }, (at) => (byId("runtime-text").textContent = loadingText(at))));
    tryGraphics();
    sentences.update();
  } catch (error) {
    byId("variant").value = bertline.facts.variant;
    byId("runtime-text").textContent = error.message;
  }
  byId("variant").disabled = false;
}

/** Go on with the GPU, where there is one whose answers are the bundle's, and sooner. */
async function tryGraphics() {
  const before = engine;
  let graphics = null;
  let reason;
  try {
    const forced = asked.get("backend") === "webgpu";
    reason = await whyNoGraphics(asked.get("backend"), bertline.facts.manifest);
    if (reason === null) {
      graphics = await load({ variant: bertline.facts.variant, backend: "webgpu" });
      reason = await whyNotThese(graphics.started, before, forced);
    }
  } catch (error) {
    reason = error.message;
  }
  if (engine !== before) return graphics?.started.end(); // another variant took the place
  if (reason === null) use(graphics);
  else graphics?.started.end();
  bertline.facts.webgpu = reason ?? "used";
  showFacts();
}

async function stayOffline() {
  try {
    if (!bertline.facts.kept) throw new Error("the browser has no room for it, or is told to keep nothing");
    await navigator.serviceWorker.register("service-worker.js");
    await navigator.serviceWorker.ready;
    bertline.facts.offline = "yes";
  } catch (error) {
    bertline.facts.offline = `no: ${error.message}`;
  }
  showFacts();
}

function become(state, title = "", text = "") {
  byId("trouble-title").textContent = title;
  byId("trouble-text").textContent = text;
  document.documentElement.dataset.state = state;
}

const loadingText = ({ name, bytes, total }) => `Loading ${name}: ${size(bytes)} of ${size(total)}`;

function showLoading(at) {
  byId("loading-text").textContent = loadingText(at);
  Object.assign(byId("loading-bar"), { max: at.total, value: at.bytes });
}

function showFacts() {
  const { facts } = bertline;
  const threads = facts.threads === 1 ? "one thread" : `${facts.threads} threads`;
  const runs = facts.backend === "webgpu" ? "WebGPU" : `WebAssembly, ${threads}`;
  const note = facts.isolated ? "" : ": the server sends no COOP and COEP headers; after a reload there may be more";
  byId("runtime-text").textContent = facts.offline === "yes" ? `${runs}; works offline from now on` : runs;
  const told = {
    variant: `${facts.variant}, ${facts.file}, ${size(facts.bytes)}`,
    "computes with": runs + note,
    WebGPU: facts.webgpu ?? "not tried yet",
    offline: facts.offline,
    versions: Object.entries(facts.versions).map((pair) => pair.join(" ")).join(", "),
    "columns of text": facts.manifest.text_columns.join(", "),
    "base model": facts.manifest.provenance.base_model ?? "unknown",
    created: facts.manifest.provenance.created,
    manifest: `sha256 ${facts.hash}`,
  };
  byId("facts").replaceChildren(
    ...Object.entries(told).flatMap(([name, value]) => [
      element("dt", { textContent: name }),
      element("dd", { textContent: value }),
    ]),
  );
}

window.bertline = bertline;
bertline.ready = begin();
bertline.ready.catch(() => {}); // the page has said it
