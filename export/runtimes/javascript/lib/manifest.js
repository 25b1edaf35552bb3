// What bertline.json says, as far as a consumer needs it.

import { ScoringError } from "./fault.js";

export const ONE_LABEL = "single_label_classification";
export const SEVERAL = "multi_label_classification";
export const NUMBER = "regression";

/** The manifest from its text; ScoringError where it is none that is known here. `where` is for the message. */
export function parseManifest(text, where) {
  let manifest;
  try {
    manifest = JSON.parse(text);
  } catch {
    throw new ScoringError(`${where}: is not JSON; take the bundle from its source again`);
  }
  const { problem_type: problem } = manifest;
  if (![ONE_LABEL, SEVERAL, NUMBER].includes(problem)) {
    throw new ScoringError(`${where}: problem_type is '${problem}', which this program does not know`);
  }
  return manifest;
}

/** Names of the variants that run here: those of padded batches. */
export function paddedVariants(manifest) {
  return Object.keys(manifest.variants).filter((name) => manifest.variants[name].layout === "padded");
}

/** The file of a variant, a path in the bundle; ScoringError where the bundle has no such variant for this runtime. */
export function fileOf(manifest, variant) {
  const known = paddedVariants(manifest);
  if (!known.includes(variant)) {
    throw new ScoringError(`--variant ${variant}: this bundle has ${known.join(", ")} for this runtime`);
  }
  return manifest.variants[variant].file;
}
