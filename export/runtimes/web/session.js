// A session of onnxruntime-web: on WebAssembly, or on the GPU.

const LATER = "runtimes/web/vendor/webgpu/"; // what only the GPU needs
const MOST_THREADS = 8;
const LIBRARIES = {
  wasm: "./vendor/ort.wasm.bundle.min.mjs",
  webgpu: "./vendor/webgpu/ort.jspi.bundle.min.mjs",
};

/** {session, Tensor, threads} of a model's bytes. */
export async function openSession(model, backend, bundle) {
  const ort = await import(LIBRARIES[backend]);
  const threads = crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  ort.env.logLevel = "error"; // that some nodes of a graph run on the CPU is as it should be
  ort.env.wasm.numThreads = threads;
  if (backend === "webgpu") {
    await bundle.read(`${LATER}ort.jspi.bundle.min.mjs`);
    ort.env.wasm.wasmBinary = await bundle.read(`${LATER}ort-wasm-simd-threaded.jspi.wasm`);
  } else {
    ort.env.wasm.wasmPaths = { wasm: new URL("vendor/ort-wasm-simd-threaded.wasm", import.meta.url).href };
  }
  const session = await ort.InferenceSession.create(model, { executionProviders: [backend] });
  return { session: new Turns(session), Tensor: ort.Tensor, threads };
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
