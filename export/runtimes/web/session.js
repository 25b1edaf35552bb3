// A session of onnxruntime-web: on WebAssembly, or on the GPU.

const PAGE = "runtimes/web/";
const MOST_THREADS = 8;
// Of onnxruntime-web's builds, the ones with one backend only: module and WebAssembly, in the page's folder.
const LIBRARIES = {
  wasm: ["vendor/ort.wasm.bundle.min.mjs", "vendor/ort-wasm-simd-threaded.wasm"],
  webgpu: ["vendor/webgpu/ort.jspi.bundle.min.mjs", "vendor/webgpu/ort-wasm-simd-threaded.jspi.wasm"],
};

// A graph that gives back its input: what the library is started with, while the model is still being loaded.
const SMALLEST_MODEL = "CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0=";

/** The library of a backend, started, and how many threads it may use. */
export async function openLibrary(backend, bundle) {
  const [module, wasm] = LIBRARIES[backend];
  const [ort, wasmBinary] = await Promise.all([import(`./${module}`), bundle.read(PAGE + wasm), bundle.read(PAGE + module)]);
  const threads = crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  Object.assign(ort.env.wasm, { wasmBinary, numThreads: threads });
  const smallest = Uint8Array.from(atob(SMALLEST_MODEL), (character) => character.charCodeAt(0));
  await (await ort.InferenceSession.create(smallest, { executionProviders: [backend] })).release();
  return { ort, threads };
}

/** A session of a model's bytes. */
export async function openSession(ort, model, backend) {
  // Errors only: that the CPU runs some nodes of a GPU's graph is as it should be.
  return new Turns(await ort.InferenceSession.create(model, { executionProviders: [backend], logSeverityLevel: 3 }));
}

/** A session that runs one batch at a time, and lets the worker hear messages between two. */
class Turns {
  constructor(session) {
    this.session = session;
    this.free = Promise.resolve();
  }

  run(feeds) {
    const result = this.free.then(() => this.session.run(feeds));
    this.free = result.then(breathe, breathe);
    return result;
  }
}

function breathe() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
