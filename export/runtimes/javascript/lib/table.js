// Tables: UTF-8, tabs between columns, no quoting. Read piece by piece, and numbers written as C's %.9g writes them.

import { ScoringError } from "./fault.js";

const [NEWLINE, RETURN] = [10, 13];
const MARK = [0xef, 0xbb, 0xbf]; // a byte-order mark

/** Rows of a table whose bytes come in pieces. */
export class TableReader {
  /** `path` is for messages; `columns` names those of a table without a header. */
  constructor(path, columns = null) {
    this.path = path;
    this.columns = columns;
    this.number = 0; // lines read
    this.rest = new Uint8Array(0);
    this.decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  }

  /** The rows, arrays of cells, that are whole with these bytes. */
  push(bytes) {
    const rows = [];
    const joined = new Uint8Array(this.rest.length + bytes.length);
    joined.set(this.rest);
    joined.set(bytes, this.rest.length);
    let start = 0;
    for (let end; (end = joined.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      this.take(joined.subarray(start, end), rows);
    }
    this.rest = joined.slice(start);
    return rows;
  }

  /** The row of a last line without an end, if there is one. */
  end() {
    const rows = [];
    if (this.rest.length) this.take(this.rest, rows);
    if (this.number === 0) throw new ScoringError(`${this.path}: the file is empty; give a table with at least one row`);
    return rows;
  }

  take(line, rows) {
    this.number += 1;
    const cells = this.text(line).split("\t");
    if (this.columns === null) {
      this.columns = cells;
    } else if (cells.length === this.columns.length) {
      rows.push(cells);
    } else {
      this.refuse(`has ${cells.length} columns instead of ${this.columns.length}; correct it`);
    }
  }

  text(line) {
    const start = this.number === 1 && MARK.every((byte, place) => line[place] === byte) ? MARK.length : 0;
    const end = line.at(-1) === RETURN ? line.length - 1 : line.length;
    let text;
    try {
      text = this.decoder.decode(line.subarray(start, Math.max(start, end)));
    } catch {
      this.refuse("is not UTF-8; convert the file with iconv -t UTF-8");
    }
    if (text.includes("\0")) this.refuse("holds a NUL character; remove it with tr -d '\\000'");
    return text;
  }

  refuse(what) {
    throw new ScoringError(`${this.path}, line ${this.number}: ${what}`);
  }
}

/** A number as C's %.9g writes it: 9 significant digits, which keep a float32 exactly; ties go to the even digit. */
export function formatNumber(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  let [mantissa, exponent] = nineDigits(Math.abs(value)).split("e");
  mantissa = mantissa.replace(".", "");
  exponent = Number(exponent);
  if (exponent < -4 || exponent >= 9) {
    const digits = trimmed(`${mantissa[0]}.${mantissa.slice(1)}`);
    return `${sign}${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const whole = exponent < 0 ? "0" : mantissa.slice(0, exponent + 1);
  const part = exponent < 0 ? "0".repeat(-exponent - 1) + mantissa : mantissa.slice(exponent + 1);
  return sign + trimmed(`${whole}.${part}`);
}

function nineDigits(value) {
  const [digits, exponent] = value.toExponential(9).split("e");
  const isTie = digits.endsWith("5") && /^\d\.\d{8}50*e/.test(value.toExponential(100)); // a near tie is none
  const before = digits.at(-2);
  return isTie && Number(before) % 2 === 0 ? `${digits.slice(0, -1)}e${exponent}` : value.toExponential(8);
}

function trimmed(digits) {
  return digits.replace(/\.?0*$/, "");
}
