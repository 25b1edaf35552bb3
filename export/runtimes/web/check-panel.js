// The self-check, step by step.

import { byId, count, element, size } from "./dom.js";

export class CheckPanel {
  constructor({ manifest, usedFiles }, selfcheck) {
    this.selfcheck = selfcheck;
    const all = Object.values(manifest.files);
    const bytes = all.reduce((sum, entry) => sum + entry.bytes, 0);
    byId("all-files-text").textContent =
      `Every file of the bundle (${count(all.length)}, ${size(bytes)}), not only the ${count(usedFiles.length)} of this page`;
    byId("check-start").addEventListener("click", () => this.run());
  }

  async run() {
    const button = byId("check-start");
    const steps = byId("steps");
    button.disabled = true;
    steps.replaceChildren(element("li", {}, element("span", { textContent: "checking" })));
    try {
      await this.selfcheck({ all: byId("all-files").checked }, (step) => {
        const verdict = step.passed ? "ok" : "FAILED";
        steps.lastChild.before(
          element(
            "li",
            {},
            element("strong", { className: verdict, textContent: verdict }),
            element("span", { textContent: step.name }),
            element("span", { className: "finding", textContent: step.finding }),
          ),
        );
      });
    } catch (error) {
      steps.lastChild.before(element("li", {}, element("strong", { className: "FAILED", textContent: error.message })));
    } finally {
      steps.lastChild.remove();
      button.disabled = false;
    }
  }
}
