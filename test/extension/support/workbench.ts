// The editor's window as a person uses it: commands by their titles, rows of trees, questions, notifications, text of the editor.

import type { FrameLocator, Locator, Page } from "playwright-core";

const PALETTE_TRIES = 5;
const PALETTE_MS = 10_000;
const SCROLLS = 60;
const SCROLL_MS = 1000;
const SCROLL_PIXELS = 66;
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

  /** By the title that the palette shows. */
  async command(title: string): Promise<void> {
    const row = this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: title }).first();
    await this.#inPalette(`>${title}`, () => row.click({ timeout: PALETTE_MS }));
  }

  /** What the palette offers for a text. */
  async commandsFor(text: string): Promise<string[]> {
    const rows = this.page.locator(".quick-input-list .monaco-list-row .label-name");
    const titles = await this.#inPalette(`>${text}`, async () => {
      await rows.first().waitFor({ timeout: PALETTE_MS });
      return await rows.allTextContents();
    });
    await this.page.keyboard.press("Escape");
    return titles.map(plain);
  }

  /** Something that takes the focus, such as a page that has just loaded, closes it at any time: then it is all done again. */
  async #inPalette<T>(text: string, work: () => Promise<T>): Promise<T> {
    const input = this.page.locator(".quick-input-widget:visible input.input");
    for (let tries = 1; ; tries++) {
      await this.page.keyboard.press("F1");
      try {
        await input.fill(text, { timeout: PALETTE_MS });
        return await work();
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
    for (let tries = 0; tries < SCROLLS; tries++) {
      const found = await row.waitFor({ timeout: SCROLL_MS }).then(
        () => true,
        () => false,
      );
      if (found && (await isWhole(row))) return row;
      await this.page.locator(".sidebar .monaco-list").first().hover();
      await this.page.mouse.wheel(0, SCROLL_PIXELS);
    }
    await row.waitFor();
    return row;
  }

  async expand(label: string): Promise<void> {
    const row = await this.reach(label);
    if ((await row.getAttribute("aria-expanded")) === "false") await row.click();
    // not that element: the list may have drawn its row anew
    const open = this.page.locator('.sidebar .monaco-list-row[aria-expanded="true"]');
    await open
      .filter({ has: this.#name(label) })
      .first()
      .waitFor();
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
    const row = this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: label }).first();
    await row.waitFor();
    await row.click();
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator(".notification-list-item").filter({ hasText: text }).first();
  }

  /** Of the active editor, the lines on screen. */
  async editorText(): Promise<string> {
    const lines = this.page.locator(".editor-group-container.active .monaco-editor .view-line");
    await lines.first().waitFor();
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

  /** Pulls the right edge of the side bar. */
  async widenSideBar(width: number): Promise<void> {
    const box = await this.page.locator(".part.sidebar").boundingBox();
    if (box === null) throw new Error("no side bar");
    const [edge, y] = [box.x + box.width, box.y + box.height / 3];
    await this.page.mouse.move(edge, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + width, y, { steps: 4 });
    await this.page.mouse.up();
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

/** The last row of a list may lie below its end: a click there is none on the row. */
async function isWhole(row: Locator): Promise<boolean> {
  const list = row.locator("xpath=ancestor::div[contains(concat(' ', @class, ' '), ' monaco-list ')][1]");
  const [inner, outer] = await Promise.all([row.boundingBox(), list.boundingBox()]);
  return inner !== null && outer !== null && inner.y + inner.height <= outer.y + outer.height + 1;
}

/** Monaco draws spaces as no-break ones. */
function plain(text: string | null): string {
  return (text ?? "").replaceAll("\u00a0", " ");
}
