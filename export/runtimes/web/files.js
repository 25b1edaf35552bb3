// The bundle's files, as the manifest says they are: nothing else is used, and nothing else is kept.

export const MANIFEST = "bertline.json";

/** What is wrong with the bundle; the message is one line for the reader. */
export class BundleFault extends Error {}

/** Lower-case hexadecimal SHA-256 of bytes. */
export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Where a file of the bundle is; a name that leads out of it is refused. */
export function addressOf(root, name) {
  const parts = name.split("/");
  if (name.includes("\\") || parts.some((part) => ["", ".", ".."].includes(part))) {
    throw new BundleFault(`${MANIFEST}: ${JSON.stringify(name)} leaves the bundle; take it from its source again`);
  }
  return new URL(parts.map(encodeURIComponent).join("/"), root).href;
}

/** The name of the cache that holds a bundle, one for each content and place. */
export function cacheOf(root, manifestHash) {
  return `bertline ${root} ${manifestHash}`;
}

/** A bundle at an address: its manifest, and its files once they are verified. */
export class Bundle {
  /** Read the manifest below `root`, an address that ends in a slash. */
  static async open(root) {
    const answer = await ask(`${root}${MANIFEST}`, "no-cache", MANIFEST);
    const bytes = await answer.arrayBuffer();
    let manifest;
    try {
      manifest = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      throw new BundleFault(`${MANIFEST}: is not JSON; take the bundle from its source again`);
    }
    return new Bundle(root, manifest, await sha256(bytes));
  }

  constructor(root, manifest, hash) {
    Object.assign(this, { root, manifest, hash });
    this.kept = true; // as long as the browser keeps what was verified
  }

  /** The bytes of a file; `onBytes(count)` hears how many have come. BundleFault names a file that is not the one. */
  async read(name, onBytes = () => {}) {
    const entry = this.manifest.files[name];
    if (!entry) throw new BundleFault(`${MANIFEST}: lists no ${name}; take the bundle from its source again`);
    // A host may let the browser keep an older file: what does not fit is asked for once more, past its cache.
    for (const mode of ["default", "reload"]) {
      const answer = await ask(addressOf(this.root, name), mode, name);
      const bytes = await collect(answer, entry.bytes, onBytes);
      if (bytes && (await sha256(bytes)) === entry.sha256) {
        await this.keep(name, bytes, answer);
        return bytes;
      }
    }
    throw new BundleFault(`${name}: is not the file that ${MANIFEST} names; take the bundle from its source again`);
  }

  /** Put a verified file where the service worker finds it without a network. */
  async keep(name, bytes, answer) {
    if (!globalThis.caches || !this.kept) return;
    const address = addressOf(this.root, name);
    const headers = new Headers(answer.headers);
    for (const stale of ["Content-Encoding", "Content-Length"]) headers.delete(stale); // the bytes are decoded
    headers.set("Cross-Origin-Embedder-Policy", "require-corp"); // without it, a module cannot be a thread's
    try {
      const cache = await caches.open(cacheOf(this.root, this.hash));
      if (!(await cache.match(address))) await cache.put(address, new Response(bytes, { headers }));
    } catch {
      this.kept = false; // no room, or a browser that is told to keep nothing: the page does without
    }
  }

  /** Whether a file, asked for anew, is as the manifest says. */
  async isAsStated(name) {
    const entry = this.manifest.files[name];
    const answer = await fetch(addressOf(this.root, name), { cache: "no-store" }).catch(() => null);
    if (!answer?.ok) return false;
    const bytes = await answer.arrayBuffer();
    return bytes.byteLength === entry.bytes && (await sha256(bytes)) === entry.sha256;
  }
}

async function ask(address, cache, name) {
  let answer;
  try {
    answer = await fetch(address, { cache });
  } catch {
    throw new BundleFault(`${name}: cannot be loaded; is the server there?`);
  }
  if (!answer.ok) throw new BundleFault(`${name}: the server answers ${answer.status}; put the whole bundle there`);
  return answer;
}

/** All bytes of an answer, or null where they are not as many as stated. */
async function collect(answer, size, onBytes) {
  const bytes = new Uint8Array(size);
  let count = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return count === size ? bytes : null;
    if (count + value.length > size) {
      await reader.cancel();
      return null;
    }
    bytes.set(value, count);
    count += value.length;
    onBytes(count);
  }
}
