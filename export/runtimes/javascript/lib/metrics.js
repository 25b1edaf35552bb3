// How good the answers are, where the table has labels.

/** Counts of true and predicted labels; MCC from them. */
export class Confusion {
  constructor(labels) {
    this.labels = labels;
    this.counts = labels.map(() => labels.map(() => 0)); // [true][predicted]
    this.unknown = 0; // rows whose label is none of the model's
  }

  /** Count a row: its label, by name or else by id, and the one that was predicted. */
  add(label, predicted) {
    const named = this.labels.indexOf(label);
    const row = named < 0 && /^\d+$/.test(label) && Number(label) < this.labels.length ? Number(label) : named;
    if (row < 0) this.unknown += 1;
    else this.counts[row][this.labels.indexOf(predicted)] += 1;
  }

  get rows() {
    return sum(this.counts.map(sum));
  }

  get accuracy() {
    return sum(this.counts.map((row, label) => row[label])) / this.rows;
  }

  /** Matthews correlation for any number of labels (Gorodkin 2004), as scikit-learn computes it; 0 where undefined. */
  get mcc() {
    const right = sum(this.counts.map((row, label) => row[label]));
    const truth = this.counts.map(sum);
    const predicted = this.labels.map((_, label) => sum(this.counts.map((row) => row[label])));
    const rows = this.rows;
    const covariance = right * rows - sum(truth.map((count, label) => count * predicted[label]));
    const spread = (counts) => rows * rows - sum(counts.map((count) => count * count));
    const product = spread(truth) * spread(predicted);
    return product === 0 ? 0 : covariance / Math.sqrt(product);
  }
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
