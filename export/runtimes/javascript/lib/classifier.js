// Token ids to logits, on any of onnxruntime's JavaScript packages.

import { ScoringError } from "./fault.js";
import { NUMBER, SEVERAL } from "./manifest.js";

const BATCH_ROWS = 32;

/** A bundle's model and tokenizer, at one precision. */
export class Classifier {
  /**
   * manifest: what bertline.json says; variant: a name of its `variants`; encoder: an Encoder;
   * session, Tensor: an InferenceSession of that variant's file, and the package's class of tensors.
   */
  constructor({ manifest, variant, encoder, session, Tensor }) {
    Object.assign(this, { encoder, session, Tensor });
    this.labels = manifest.labels;
    this.problem = manifest.problem_type;
    this.padId = manifest.tokenizer.pad_id;
    this.maxLength = manifest.max_length;
    this.textColumns = manifest.text_columns;
    this.inputs = manifest.variants[variant].inputs.map(({ name }) => name);
  }

  /** Encoded rows, {ids, types} each, of texts or of pairs of texts. */
  encode(texts) {
    return texts.map((text) => (Array.isArray(text) ? this.encoder.encode(...text) : this.encoder.encode(text)));
  }

  /** Logits of one batch, a Float32Array for each row, padded to the longest and `room` tokens more. */
  async run(rows, room = 0) {
    const length = Math.max(...rows.map(({ ids }) => ids.length)) + room;
    const size = rows.length * length;
    const arrays = {
      input_ids: new BigInt64Array(size).fill(BigInt(this.padId)),
      attention_mask: new BigInt64Array(size),
      token_type_ids: new BigInt64Array(size),
    };
    rows.forEach(({ ids, types }, row) => {
      ids.forEach((id, place) => {
        arrays.input_ids[row * length + place] = BigInt(id);
        arrays.attention_mask[row * length + place] = 1n;
        arrays.token_type_ids[row * length + place] = BigInt(types[place]);
      });
    });
    const shape = [rows.length, length];
    const feeds = this.inputs.map((name) => [name, new this.Tensor("int64", arrays[name], shape)]);
    const { logits } = await this.session.run(Object.fromEntries(feeds));
    const width = this.labels.length;
    const found = await logits.getData();
    return rows.map((_, row) => found.slice(row * width, (row + 1) * width));
  }

  /** Logits of encoded rows, a Float32Array each, in their order; batches hold rows of like length. */
  async logits(rows, signal) {
    const order = rows.map((_, row) => row).sort((one, other) => rows[one].ids.length - rows[other].ids.length);
    const found = new Array(rows.length);
    for (let start = 0; start < order.length; start += BATCH_ROWS) {
      signal?.throwIfAborted();
      const batch = order.slice(start, start + BATCH_ROWS);
      const logits = await this.run(batch.map((row) => rows[row]));
      if (!logits.every((values) => values.every(Number.isFinite))) {
        throw new ScoringError("the model gives a logit that is no number; run the self-check");
      }
      batch.forEach((row, place) => (found[row] = logits[place]));
    }
    return found;
  }

  /** Answers to texts, or to pairs of texts, as of `answer`. */
  async score(texts) {
    return (await this.logits(this.encode(texts))).map((logits) => this.answer(logits));
  }

  /** What a row's logits say. */
  answer(logits) {
    return answer(logits, this.labels, this.problem);
  }
}

/**
 * What a row's logits say, by the manifest's problem_type: {label, score, probabilities} with the label's probability
 * as its score; of several labels at once {labels, probabilities}; of a model of numbers {prediction}.
 */
export function answer(logits, labels, problem) {
  if (problem === NUMBER) return { prediction: logits[0] };
  if (problem === SEVERAL) {
    const given = labels.filter((_, place) => logits[place] > 0); // where the probability is above 0.5
    return { labels: given, probabilities: Float32Array.from(logits, (value) => 1 / (1 + Math.exp(-value))) };
  }
  const probabilities = softmax(logits);
  const best = logits.indexOf(Math.max(...logits));
  return { label: labels[best], score: probabilities[best], probabilities };
}

/** Probabilities, a Float32Array, computed in 64 bits. */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp(Math.fround(value - largest)));
  const sum = powers.reduce((total, power) => total + power, 0);
  return Float32Array.from(powers, (power) => power / sum);
}
