// Keeps the page and what it uses for use without a network; all of it verified, and of one bundle at a time.
// A classic script, for browsers whose service workers cannot be modules; so it imports nothing.

const ROOT = new URL("../../", self.registration.scope).href;
const PAGE = self.registration.scope.slice(ROOT.length); // runtimes/web/
const LATER = `${PAGE}vendor/webgpu/`; // kept by whoever uses it
const MANIFEST = "bertline.json";
const CACHES = `bertline ${ROOT} `; // and the manifest's hash; files.js has the same name
const PATIENCE_MS = 3000; // for a network that may not be there

self.addEventListener("install", (event) => event.waitUntil(renew().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.url.startsWith(ROOT)) event.respondWith(answer(event.request));
});

/** Whoever asks past the cache gets the network's answer first; all others, and all without a network, what is kept. */
async function answer(request) {
  if (request.mode === "navigate") await renew().catch(() => {}); // without a network, the bundle that is here
  if (["no-store", "reload"].includes(request.cache)) {
    return fetch(request).catch(async (error) => (await kept(request.url)) ?? Promise.reject(error));
  }
  return (await kept(request.url)) ?? fetch(request);
}

/** The answer that is kept for an address, from the first bundle that is whole. */
async function kept(url) {
  const address = new URL(url);
  address.search = address.hash = "";
  if (address.pathname.endsWith("/")) address.pathname += "index.html";
  for (const name of await ours()) {
    const cache = await caches.open(name);
    if (await cache.match(ROOT + MANIFEST)) return cache.match(address.href);
  }
}

/** Keep the page of the bundle that is served now, then drop those that were. The manifest comes last: it is whole. */
async function renew() {
  const answer = await fetch(ROOT + MANIFEST, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(`${MANIFEST}: ${answer.status}`);
  const bytes = await answer.clone().arrayBuffer();
  const current = CACHES + (await sha256(bytes));
  const cache = await caches.open(current);
  if (!(await cache.match(ROOT + MANIFEST))) {
    const files = Object.entries(JSON.parse(new TextDecoder().decode(bytes)).files);
    const page = files.filter(([name]) => name.startsWith(PAGE) && !name.startsWith(LATER));
    await Promise.all(page.map(([name, entry]) => keep(cache, name, entry)));
    await cache.put(ROOT + MANIFEST, answer);
  }
  await Promise.all((await ours()).filter((name) => name !== current).map((name) => caches.delete(name)));
}

async function keep(cache, name, entry) {
  const address = new URL(name.split("/").map(encodeURIComponent).join("/"), ROOT).href;
  if (!address.startsWith(ROOT + PAGE)) throw new Error(`${name}: leaves the page's folder`);
  const answer = await fetch(address, { cache: "no-cache" });
  const bytes = await answer.arrayBuffer();
  if (!answer.ok || (await sha256(bytes)) !== entry.sha256) throw new Error(`${name}: is not as the manifest says`);
  const headers = new Headers(answer.headers);
  for (const stale of ["Content-Encoding", "Content-Length"]) headers.delete(stale); // the bytes are decoded
  // So that threads are there from the second visit on, on a host that cannot send these, too.
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  await cache.put(address, new Response(bytes, { headers }));
}

async function ours() {
  return (await caches.keys()).filter((name) => name.startsWith(CACHES));
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
