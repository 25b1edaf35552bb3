// WebGPU: where there is a GPU, whose answers are the bundle's own, and which is faster than WebAssembly.

const LIBRARY = "runtimes/web/vendor/webgpu/ort-wasm-simd-threaded.jspi.wasm";

/** Why WebGPU is not tried, or null; `backend` is what the reader asks for, if anything. */
export async function whyNoGraphics(backend, manifest) {
  if (backend === "wasm") return "not wanted";
  if (!manifest.files[LIBRARY]) return "not in this bundle";
  // onnxruntime-web waits for the GPU by switching stacks.
  if (!navigator.gpu || !("Suspending" in WebAssembly)) return "not in this browser";
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) return "no GPU here";
  return adapter.info?.isFallbackAdapter && backend !== "webgpu" ? "no GPU here, only its emulation" : null;
}

/** Why the GPU's worker is not used, or null: it must pass the self-check, and be sooner unless `forced`. */
export async function whyNotThese(graphics, other, forced) {
  const failed = (await graphics.ask("selfcheck", { files: [] })).filter((step) => !step.passed);
  if (failed.length) return `not used: ${failed.map((step) => `${step.name}, ${step.finding}`).join("; ")}`;
  if (forced) return null;
  const [ours, theirs] = [await graphics.ask("pace"), await other.ask("pace")];
  return ours < theirs ? null : `not used: ${ours.toFixed(0)} ms a batch, and ${theirs.toFixed(0)} ms without`;
}
