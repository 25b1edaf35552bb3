/** What the user can mend; the message is one line. */
export class ScoringError extends Error {}

export interface Options {
  /** A variant of padded batches that the bundle has; fp32 unless said otherwise. */
  variant?: string;
  /** Threads of one inference; 0, the default, is all cores. */
  threads?: number;
}

/** Of a model of one label out of several. */
export interface OneLabel {
  label: string;
  /** The label's probability. */
  score: number;
  /** In the order of `Classifier.labels`. */
  probabilities: Float32Array;
}

/** Of a model of several labels at once: those whose probability is above 0.5. */
export interface SeveralLabels {
  labels: string[];
  /** In the order of `Classifier.labels`, each by itself. */
  probabilities: Float32Array;
}

/** Of a model of numbers. */
export interface Prediction {
  prediction: number;
}

export type Answer = OneLabel | SeveralLabels | Prediction;

export interface EncodedRow {
  ids: number[];
  types: number[];
}

/** One text, or a pair of texts where the model takes pairs. */
export type Text = string | [first: string, second: string];

/** A bundle's model and tokenizer, at one precision. */
export class Classifier {
  /** The classifier of a bundle's folder, by default the one this file is in; ScoringError where it cannot be. */
  static open(bundle?: string, options?: Options): Promise<Classifier>;
  readonly labels: readonly string[];
  /** Which kind of `Answer` it gives. */
  readonly problem: "single_label_classification" | "multi_label_classification" | "regression";
  /** Columns of a table that hold the text, or the two texts. */
  readonly textColumns: readonly string[];
  /** Tokens a text is cut to, special tokens included. */
  readonly maxLength: number;
  score(texts: readonly Text[]): Promise<Answer[]>;
  encode(texts: readonly Text[]): EncodedRow[];
  /** Logits of encoded rows, in their order. */
  logits(rows: readonly EncodedRow[], signal?: AbortSignal): Promise<Float32Array[]>;
  /** Give the model's memory back. */
  close(): Promise<void>;
}

export interface Step {
  name: "hashes" | "token ids" | "logits" | "padding";
  passed: boolean;
  finding: string;
}

/** The steps by which a bundle proves itself here, in order. */
export function selfcheck(bundle?: string, options?: Pick<Options, "variant">): AsyncGenerator<Step, void>;
