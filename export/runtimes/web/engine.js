// The worker as the page sees it: questions with answers, and progress in between.

export class Engine {
  constructor() {
    this.waiting = new Map();
    this.count = 0;
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail(new Error(`the page's worker stopped: ${event.message ?? "it cannot be loaded"}`));
    };
  }

  /** What the worker answers to a task; `onProgress` hears what it says until then. Rejects with what it refuses. */
  ask(task, payload = {}, onProgress = () => {}) {
    const id = ++this.count;
    this.worker.postMessage({ id, task, payload });
    const answer = new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject, onProgress }));
    return Object.assign(answer, { cancel: () => this.worker.postMessage({ id, task: "cancel" }) });
  }

  hear({ id, kind, value }) {
    const asked = this.waiting.get(id);
    if (kind === "progress") return asked?.onProgress(value);
    this.waiting.delete(id);
    if (kind === "answer") asked.resolve(value);
    else asked.reject(Object.assign(new Error(value.message), { name: value.name }));
    if (this.retired) this.retire();
  }

  fail(error) {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  /** End once all is answered that was asked. */
  retire() {
    this.retired = true;
    if (this.waiting.size === 0) this.end();
  }

  end() {
    this.worker.terminate();
    this.fail(new Error("the page's worker was ended"));
  }
}
