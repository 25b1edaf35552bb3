// How good the answers are, where the table has labels.

const NUMBER = /^[+-]?\d+(\.\d+)?$/;

/** Counts of true and predicted labels; MCC from them. */
export class Confusion {
  constructor(labels) {
    this.labels = labels;
    this.counts = labels.map(() => labels.map(() => 0)); // [true][predicted]
    this.unknown = 0; // rows whose label is none of the model's
    const ids = labels.some((label) => NUMBER.test(label)) ? [] : labels.map((_, id) => [`${id}`, id]);
    this.ids = new Map([...ids, ...labels.map((label, id) => [label, id])]); // with stars 1 to 5, a 0 is no label
  }

  /** Count a row: its label, by name, or by id where no name is a number, and the one that was predicted. */
  add(label, predicted) {
    const row = this.ids.get(label);
    if (row === undefined) this.unknown += 1;
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
