// A bundle as a function of texts: onnxruntime-node and @huggingface/tokenizers.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";

import { Tokenizer } from "@huggingface/tokenizers";
import { InferenceSession, Tensor } from "onnxruntime-node";

import { Classifier as Core } from "./lib/classifier.js";
import { Encoder } from "./lib/encoder.js";
import { ScoringError } from "./lib/fault.js";
import { fileOf, parseManifest } from "./lib/manifest.js";
import { selfcheck as steps } from "./lib/selfcheck.js";

export { ScoringError };

const BUNDLE = resolve(import.meta.dirname, "..", "..");

/** A bundle's model and tokenizer, at one precision. */
export class Classifier extends Core {
  /** The classifier of a bundle's folder; ScoringError where it cannot be. */
  static async open(bundle = BUNDLE, { variant = "fp32", threads = 0 } = {}) {
    return open(await Bundle.open(bundle), variant, threads);
  }

  /** Give the model's memory back. */
  async close() {
    await this.session.release();
  }
}

/** The steps of the self-check, {name, passed, finding} each. */
export async function* selfcheck(bundle = BUNDLE, { variant = "fp32" } = {}) {
  const opened = await Bundle.open(bundle);
  fileOf(opened.manifest, variant);
  yield* steps(opened, variant, () => open(opened, variant, 0));
}

async function open(bundle, variant, threads) {
  const file = await bundle.verified(fileOf(bundle.manifest, variant));
  const [tokenizer, config] = await Promise.all(["tokenizer.json", "tokenizer_config.json"].map((name) => bundle.json(name)));
  const encoder = new Encoder(new Tokenizer(tokenizer, config), bundle.manifest.max_length);
  const session = await InferenceSession.create(file, { intraOpNumThreads: threads, executionProviders: ["cpu"] });
  return new Classifier({ manifest: bundle.manifest, variant, encoder, session, Tensor });
}

class Bundle {
  static async open(folder) {
    const file = join(folder, "bertline.json");
    let text;
    try {
      text = await readFile(file, "utf8");
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
      throw new ScoringError(`${folder}: has no bertline.json, so it is no bundle; name one with --bundle`);
    }
    return new Bundle(resolve(folder), parseManifest(text, file));
  }

  constructor(folder, manifest) {
    Object.assign(this, { folder, manifest });
  }

  /** Where a file of the bundle is; a name, or a link, that leads out of it is refused. */
  async path(name) {
    const [root, path] = await Promise.all([this.folder, join(this.folder, name)].map((each) => real(each)));
    if (path.startsWith(root + sep)) return path;
    throw new ScoringError(`${this.folder}/bertline.json: '${name}' leaves the bundle; take it from its source again`);
  }

  /** The path of a file that is as the manifest says. */
  async verified(name) {
    if (await this.isAsStated(name)) return this.path(name);
    throw new ScoringError(
      `${join(this.folder, name)}: is missing or changed since the export; take the bundle from its source again`,
    );
  }

  async read(name) {
    return readFile(await this.path(name));
  }

  async json(name) {
    return JSON.parse(await readFile(await this.verified(name), "utf8"));
  }

  /** Whether a file has the manifest's size and hash. */
  async isAsStated(name) {
    const { bytes, sha256 } = this.manifest.files[name] ?? {}; // a file that is not listed is not as stated
    const path = await this.path(name);
    const found = await stat(path).catch(() => null);
    if (!found?.isFile() || found.size !== bytes) return false;
    const hash = createHash("sha256");
    await pipeline(createReadStream(path), hash);
    return hash.digest("hex") === sha256;
  }
}

/** A path without links; one that is not there stays as it is. */
async function real(path) {
  return realpath(path).catch(() => resolve(path));
}
