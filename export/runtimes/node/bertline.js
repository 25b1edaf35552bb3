#!/usr/bin/env node
// node bertline.js score INPUT.tsv OUTPUT.tsv
// node bertline.js selfcheck

import { createReadStream, existsSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

import { stepLine } from "./lib/selfcheck.js";
import { scoredTable } from "./lib/score-table.js";

const { Classifier, ScoringError, selfcheck } = await import("./index.js").catch((error) => {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  console.error(`bertline.js: ${import.meta.dirname} lacks its packages; npm ci --ignore-scripts there`);
  process.exit(1);
});

const USAGE = `node bertline.js score INPUT.tsv OUTPUT.tsv [--bundle DIR] [--variant fp32] [--columns a,b,c]
    [--text-column C] [--pair-column C] [--probabilities] [--logits] [--token-ids]
node bertline.js selfcheck [--bundle DIR] [--variant fp32]`;

const [text, flag] = [{ type: "string" }, { type: "boolean" }];
const CHECKING = { bundle: text, variant: { ...text, default: "fp32" }, help: { ...flag, short: "h" } };
const SCORING = {
  ...CHECKING,
  columns: text,
  "text-column": text,
  "pair-column": text,
  probabilities: flag,
  logits: flag,
  "token-ids": flag,
};

async function score(source, target, options) {
  const start = performance.now();
  if (existsSync(target)) throw new ScoringError(`${target}: the file exists; name another`);
  const found = await stat(source).catch(() => null);
  if (!found?.isFile()) throw new ScoringError(`${source}: no such file; check the name`);
  if (!existsSync(dirname(target))) {
    throw new ScoringError(`${target}: the folder ${dirname(target)} does not exist; make it first`);
  }
  const classifier = await Classifier.open(options.bundle, { variant: options.variant });
  const [first, second] = classifier.textColumns;
  if (options["pair-column"] && !second) throw new ScoringError("--pair-column: this bundle scores single texts");
  const partial = `${target}.partial`;
  let rows = 0;
  const file = await open(partial, "wx").catch((error) => {
    if (error.code !== "EEXIST") throw error; // what is there may be the input
    throw new ScoringError(`${partial}: left by an unfinished run, or one still going; remove it first`);
  });
  try {
    const pieces = scoredTable(classifier, createReadStream(source), source, {
      columns: options.columns?.split(","),
      textColumns: [options["text-column"] ?? first, ...(second ? [options["pair-column"] ?? second] : [])],
      probabilities: options.probabilities,
      logits: options.logits,
      tokenIds: options["token-ids"],
      onRows: (scored) => (rows += scored.length),
    });
    for await (const piece of pieces) await file.appendFile(piece); // write() may stop short on a full disk
    await file.close();
    await rename(partial, target);
  } finally {
    await file.close();
    await rm(partial, { force: true });
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.error(`${rows.toLocaleString("en-US")} rows in ${seconds} s`);
  return 0;
}

async function check({ bundle, variant }) {
  let passed = true;
  for await (const step of selfcheck(bundle, { variant })) {
    console.log(stepLine(step));
    passed &&= step.passed;
  }
  return passed ? 0 : 3;
}

/** Run a command; the exit code. */
async function main([command, ...words]) {
  const files = { score: 2, selfcheck: 0 }[command];
  let options, positionals;
  try {
    ({ values: options, positionals } = parseArgs({
      args: words,
      options: command === "score" ? SCORING : CHECKING,
      allowPositionals: true,
    }));
  } catch (error) {
    console.error(`bertline.js: ${error.message.split("\n")[0]}`);
    return 2;
  }
  if (options.help || files !== positionals.length) {
    console[options.help ? "log" : "error"](USAGE);
    return options.help ? 0 : 2;
  }
  try {
    return await (command === "score" ? score(...positionals, options) : check(options));
  } catch (error) {
    if (!(error instanceof ScoringError) && !error.syscall) throw error; // the second is the system's refusal
    console.error(`bertline.js: ${error.message}`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
