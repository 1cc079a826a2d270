// Somebody who calls commands by the palette only, looks at what happens, and presses Escape.

import { setTimeout as sleep } from "node:timers/promises";
import type { Workbench } from "./workbench.js";

const OFFERED_MS = 1200;
const ACTS_MS = 10_000;
const QUIET_MS = 500;
const POLL_MS = 60;
/** Lists that only say what a command is about. */
const ABOUT = /Which (?:repository|machine|snapshot)\?/;
const DEPTH = 4;

/** All that a person could notice, as text. `palette`: it is still open. */
const LOOK = `(() => {
  const isShown = (element) => element.getClientRects().length > 0;
  const texts = (selector) => [...document.querySelectorAll(selector)].filter(isShown).map((element) => element.textContent);
  const input = [...document.querySelectorAll(".quick-input-widget input")].filter(isShown);
  const isPalette = input.some(({ value }) => value.startsWith(">"));
  const question = isPalette ? [] : [...texts(".quick-input-title"), ...input.map((each) => each.placeholder), ...texts(".quick-input-message")];
  return {
    isPalette,
    question: question.join(" | "),
    isAsked: !isPalette && [...document.querySelectorAll(".quick-input-widget")].some(isShown),
    dialog: texts(".monaco-dialog-box").join(" "),
    errors: [...document.querySelectorAll(".notification-list-item")]
      .filter((item) => isShown(item) && item.querySelector(".codicon-error") !== null)
      .map((item) => item.textContent),
    rest: [
      ".notification-list-item", ".tab", ".statusbar-item", ".pane-header", ".sidebar .monaco-list-row", ".panel .action-item.checked",
      ".pane-header.expanded", ".terminal-tab", ".monaco-progress-container.active",
    ].map((selector) => texts(selector).join("\\u0001")).join("\\u0002"),
  };
})()`;

interface Look {
  isPalette: boolean;
  question: string;
  isAsked: boolean;
  dialog: string;
  errors: string[];
  rest: string;
}

export class PaletteUser {
  readonly window: Workbench;

  constructor(window: Workbench) {
    this.window = window;
  }

  /** Leaves the palette open. */
  async isOffered(title: string, patienceMs = OFFERED_MS): Promise<boolean> {
    const input = this.window.page.locator(".quick-input-widget:visible input.input");
    if (!(await this.#look()).isPalette) await this.window.page.keyboard.press("F1");
    await input.waitFor();
    await input.fill(`>${title}`);
    const row = this.#row(title);
    return await row.waitFor({ timeout: patienceMs }).then(
      () => true,
      () => false,
    );
  }

  /** The editor learns of an extension's commands a while after its window is there. */
  async untilOffered(title: string): Promise<void> {
    while (!(await this.isOffered(title))) await this.escape();
    await this.escape();
  }

  /**
   * Calls it, and gives up at the first question; with `goesOn` also at the first one that is not about what the command is for. Answers
   * what is wrong with it.
   */
  async run(title: string, { isQuiet, goesOn }: { isQuiet: boolean; goesOn: boolean }): Promise<string[]> {
    const first = await this.#call(title, isQuiet);
    const problems = [...first.problems];
    if (goesOn && ABOUT.test(first.look.question)) {
      const again = await this.#call(title, isQuiet, DEPTH);
      problems.push(...again.problems);
    }
    return problems;
  }

  async escape(): Promise<void> {
    for (let tries = 0; tries < 5; tries++) {
      const { isPalette, isAsked, dialog } = await this.#look();
      if (!isPalette && !isAsked && dialog === "") return;
      await this.window.page.keyboard.press("Escape");
      await sleep(QUIET_MS / 2);
    }
  }

  async #call(title: string, isQuiet: boolean, depth = 0): Promise<{ problems: string[]; look: Look }> {
    await this.#clearNotifications();
    await this.escape();
    const before = await this.#look();
    if (!(await this.isOffered(title, ACTS_MS))) return { problems: ["it is not offered"], look: before };
    await this.#row(title).click();
    const after = await this.#untilSomething(before);
    let look = after ?? before;
    const problems = after === undefined && !isQuiet ? ["nothing was to be seen"] : [];
    for (let steps = 0; steps < depth && ABOUT.test(look.question); steps++) {
      await this.window.page.keyboard.press("Enter");
      look = (await this.#untilSomething(look)) ?? look;
    }
    if (look.isAsked || look.dialog !== "") {
      await this.window.page.keyboard.press("Escape");
      await sleep(QUIET_MS);
      const then = await this.#look();
      if (then.isAsked || then.dialog !== "") problems.push(`Escape was answered by: ${then.question}${then.dialog}`);
    }
    const { errors } = await this.#look();
    return { problems: [...problems, ...errors, ...look.errors.filter((error) => !errors.includes(error))], look };
  }

  /** Undefined: nothing happened. */
  async #untilSomething(before: Look): Promise<Look | undefined> {
    for (const endMs = Date.now() + ACTS_MS; Date.now() < endMs; await sleep(POLL_MS)) {
      const look = await this.#look();
      if (look.isPalette) continue;
      const isAnother = look.question !== before.question || look.dialog !== before.dialog || look.rest !== before.rest;
      if (isAnother) return look;
    }
    return undefined;
  }

  async #clearNotifications(): Promise<void> {
    const shown = this.window.page.locator(".notification-list-item");
    if ((await shown.count()) === 0) return;
    await this.window.command("Notifications: Clear All Notifications");
    await shown
      .first()
      .waitFor({ state: "detached", timeout: OFFERED_MS })
      .catch(() => {});
  }

  #row(title: string) {
    const name = this.window.page.locator(".label-name").getByText(title, { exact: true });
    return this.window.page.locator(".quick-input-list .monaco-list-row").filter({ has: name }).first();
  }

  async #look(): Promise<Look> {
    return (await this.window.page.evaluate(LOOK)) as Look;
  }
}
