// What this page needs of a browser; a browser that lacks something is told what.

// A function that returns a vector: only where WebAssembly has 128-bit SIMD is it valid.
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

/** Why the page cannot run here, as one line, or null. */
export function lacking() {
  if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) {
    return "Files cannot be verified on an insecure address; open the page by https, or on localhost.";
  }
  if (typeof WebAssembly !== "object") {
    return "This browser has no WebAssembly, or it is switched off; allow it, or use a current browser.";
  }
  if (!WebAssembly.validate(new Uint8Array(SIMD))) {
    return "This browser's WebAssembly has no SIMD; use a current browser.";
  }
  if (typeof BigInt64Array !== "function" || !Blob.prototype.stream) {
    return "This browser is too old for the page; use a current one.";
  }
  return null;
}
