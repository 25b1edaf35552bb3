// What bertline.json says, as far as a consumer needs it.

import { ScoringError } from "./fault.js";

/** The manifest from its text; ScoringError where it is none. `where` is for the message. */
export function parseManifest(text, where) {
  try {
    return JSON.parse(text);
  } catch {
    throw new ScoringError(`${where}: is not JSON; take the bundle from its source again`);
  }
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
