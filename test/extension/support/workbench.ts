// The editor's window as a person uses it: commands by their titles, rows of trees, questions, notifications, text of the editor.

import { setTimeout as sleep } from "node:timers/promises";
import type { FrameLocator, Locator, Page } from "playwright-core";

const PALETTE_TRIES = 5;
const PALETTE_MS = 10_000;
/** It may have to read a repository first. */
const PICK_MS = 40_000;
const PATIENCE_MS = 120_000;
const POLL_MS = 100;
const SCROLL_MS = 500;
const SCROLL_PIXELS = 66;
const TO_TOP_PIXELS = -100_000;
/** Nothing shows a tooltip there. */
const IDLE = { x: 1060, y: 20 };
/** Runs in the page: resolves when nothing moves any more but what moves for ever. */
const ENDED_ANIMATIONS = `Promise.allSettled(document.getAnimations()
  .filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity).map(({ finished }) => finished)).then(() => {})`;

export class Workbench {
  readonly page: Page;
  readonly #shotPath: ((name: string) => string) | undefined;

  constructor(page: Page, shotPath: ((name: string) => string) | undefined) {
    this.page = page;
    this.#shotPath = shotPath;
  }

  /** By the title that the palette shows; and what is picked of the lists that it then asks with. */
  async command(title: string, ...picks: string[]): Promise<void> {
    await this.askPalette(`>${title}`, async () => {
      await this.#listed(title).click({ timeout: PALETTE_MS });
      for (const label of picks) await this.#listed(label).click({ timeout: PICK_MS });
    });
  }

  #listed(label: string): Locator {
    return this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: label }).first();
  }

  /** Something that takes the focus, such as a page that has just loaded, closes it at any time: then it is all done again. */
  async askPalette<T>(text: string, use: () => Promise<T>): Promise<T> {
    const input = this.page.locator(".quick-input-widget:visible input.input");
    for (let tries = 1; ; tries++) {
      await this.page.keyboard.press("F1");
      try {
        await input.fill(text, { timeout: PALETTE_MS });
        return await use();
      } catch (error) {
        if (tries === PALETTE_TRIES) throw error;
        // open, it keeps what it has found for the text, also when a command became known since
        await this.page.keyboard.press("Escape");
      }
    }
  }

  /** A view container of the activity bar. */
  async openContainer(title: string): Promise<void> {
    const entry = this.page
      .locator(".activitybar .action-item")
      .filter({ has: this.page.locator(`a[aria-label^="${title}"]`) });
    await entry.first().waitFor();
    const isOpen = (await entry.first().getAttribute("class"))?.includes("checked");
    if (!isOpen) await entry.first().click();
  }

  pane(title: string): Locator {
    return this.page.locator(".sidebar .pane-header").filter({ hasText: title });
  }

  /** One of several views in a container. */
  async fold(title: string, isOpen: boolean): Promise<void> {
    const wanted = this.pane(title).and(this.page.locator(`[aria-expanded="${isOpen}"]`));
    if ((await wanted.count()) === 0) await this.pane(title).click();
    await wanted.waitFor();
  }

  /** A row of the side bar that begins with this label. */
  row(label: string): Locator {
    return this.page
      .locator(".sidebar .monaco-list-row")
      .filter({ has: this.#name(label) })
      .first();
  }

  #name(label: string): Locator {
    return this.page.locator(".label-name, .monaco-highlighted-label").getByText(label, { exact: true });
  }

  /** Labels and descriptions of the rows on screen. */
  async rows(): Promise<string[]> {
    return (await this.page.locator(".sidebar .monaco-list-row").allTextContents()).map(plain);
  }

  /** The same, scrolled to: rows that are not on screen do not exist. */
  async reach(label: string): Promise<Locator> {
    const row = this.row(label);
    let before = "";
    for (const endMs = Date.now() + PATIENCE_MS; ; ) {
      const isThere = await row.waitFor({ timeout: SCROLL_MS }).then(
        () => true,
        () => false,
      );
      const cut = isThere ? await cutOff(row) : "below";
      if (cut === "nowhere") return row;
      if (Date.now() > endMs) throw new Error(`not reached: ${label}, among these:\n${(await this.rows()).join("\n")}`);
      // from the end to the top once more: what is above, and what has come meanwhile
      const drawn = (await this.#list().textContent()) ?? "";
      if (!isThere && drawn === before) await this.toTop();
      else await this.#scroll(cut === "above" ? -SCROLL_PIXELS : SCROLL_PIXELS, isThere ? listOf(row) : this.#list());
      before = drawn;
    }
  }

  /** The first list of the side bar, until its first row is there. */
  async toTop(): Promise<void> {
    await this.#scroll(TO_TOP_PIXELS, this.#list());
    await this.#list().locator('.monaco-list-row[data-index="0"]').waitFor();
  }

  #list(): Locator {
    return this.page.locator(".sidebar .monaco-list:visible").first();
  }

  async #scroll(pixels: number, list: Locator): Promise<void> {
    await list.hover();
    await this.page.mouse.wheel(0, pixels);
  }

  /** A row of the side bar, by its label or as it was found. Open already, it is left as it is. */
  async expand(what: string | Locator): Promise<void> {
    const row = typeof what === "string" ? await this.reach(what) : what;
    // asked anew each time: the list may have drawn its row anew
    if ((await row.getAttribute("aria-expanded")) === "false") await row.click();
    await row.and(this.page.locator('[aria-expanded="true"]')).waitFor();
  }

  /** Without a word about whether it is open then: a click opens and closes. */
  async select(row: Locator): Promise<void> {
    await row.click();
    await row.and(this.page.locator(".selected")).waitFor();
  }

  /** The question that is open at the top, by its title. */
  async answer(title: string | RegExp, text: string, { typeSlowly = false } = {}): Promise<void> {
    const widget = this.page.locator(".quick-input-widget:visible").filter({ hasText: title });
    const input = widget.locator("input.input");
    await input.waitFor();
    if (typeSlowly) await input.pressSequentially(text);
    else await input.fill(text);
    await input.press("Enter");
  }

  /** Waits for a question without answering it. */
  async question(title: string | RegExp): Promise<Locator> {
    const widget = this.page.locator(".quick-input-widget:visible").filter({ hasText: title });
    await widget.waitFor();
    return widget;
  }

  async pick(label: string): Promise<void> {
    await this.#listed(label).click();
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator(".notification-list-item").filter({ hasText: text }).first();
  }

  /** The lines on screen of the active editor, as soon as they say this: for a while those of the one before may be there. */
  async untilEditorText(pattern: RegExp): Promise<string> {
    for (const endMs = Date.now() + PATIENCE_MS; ; await sleep(POLL_MS)) {
      const text = await this.#editorText();
      if (pattern.test(text)) return text;
      if (Date.now() > endMs) throw new Error(`the editor does not show ${pattern}:\n${text}`);
    }
  }

  async #editorText(): Promise<string> {
    const lines = this.page.locator(".editor-group-container.active .monaco-editor .view-line");
    const placed = await lines.evaluateAll((elements) =>
      elements.map((element) => {
        const { style, textContent } = element as unknown as { style: { top: string }; textContent: string };
        return { top: Number.parseFloat(style.top), text: textContent };
      }),
    );
    return placed
      .sort((a, b) => a.top - b.top)
      .map(({ text }) => plain(text))
      .join("\n");
  }

  activeTab(): Locator {
    return this.page.locator(".editor-group-container.active .tab.active");
  }

  /** A webview is two frames deep. */
  webview(index = 0): FrameLocator {
    return this.page.frameLocator("iframe.webview").nth(index).frameLocator("iframe#active-frame");
  }

  async shot(name: string): Promise<void> {
    if (this.#shotPath === undefined) return;
    await this.page.evaluate(ENDED_ANIMATIONS);
    await this.page.screenshot({ path: this.#shotPath(name) });
  }

  /** One for show: nothing is loading or under the mouse. */
  async picture(name: string): Promise<void> {
    await this.page.mouse.move(IDLE.x, IDLE.y);
    await this.page.locator(".monaco-progress-container.active:visible").first().waitFor({ state: "detached" });
    await this.shot(name);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

function listOf(row: Locator): Locator {
  return row.locator("xpath=ancestor::div[contains(concat(' ', @class, ' '), ' monaco-list ')][1]");
}

/** The first and the last row of a list may lie partly outside of it: a click there is none on the row. */
async function cutOff(row: Locator): Promise<"above" | "below" | "nowhere"> {
  const [inner, outer] = await Promise.all([row.boundingBox(), listOf(row).boundingBox()]);
  if (inner === null || outer === null || inner.y + inner.height > outer.y + outer.height + 1) return "below";
  return inner.y < outer.y - 1 ? "above" : "nowhere";
}

/** Monaco draws spaces as no-break ones. */
export function plain(text: string | null): string {
  return (text ?? "").replaceAll("\u00a0", " ");
}
