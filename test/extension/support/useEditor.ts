// One editor with one window for the tests of a suite: opened before them, ended after them, with a picture of each test that fails.

import type { Browser } from "playwright-core";
import { inProject } from "../../support/projectRoot.js";
import { launchBrowser, openWorkbench } from "./browser.js";
import { type EditorOptions, type EditorServer, needsEditor, startEditor } from "./editorServer.js";
import { packExtension } from "./packagedExtension.js";
import type { Workbench } from "./workbench.js";

/** Where pictures go; REPRISE_SCREENSHOTS names another folder. */
export const SHOTS = process.env.REPRISE_SCREENSHOTS ?? inProject("build", "screenshots");

export interface Scene extends Omit<EditorOptions, "vsix"> {
  /** A folder of the suite's own, for the packed extension. */
  scratch: string;
  /** What the window opens; the scratch folder without. */
  workspace?: string;
}

export interface OpenedEditor {
  window: Workbench;
  server: EditorServer;
  browser: Browser;
  /** What the packer said. */
  packed: string;
}

/**
 * `make` prepares what the editor shows; what it hands to `later` is done in the end, the last first, also when it fails half-way.
 * `opened` is told before the first test.
 */
export function useEditor(
  make: (later: (end: () => Promise<void>) => void) => Promise<Scene>,
  opened: (editor: OpenedEditor) => void | Promise<void>,
): void {
  const ends: (() => Promise<void>)[] = [];
  const later = (end: () => Promise<void>) => void ends.push(end);
  let window: Workbench | undefined;

  before(async function () {
    needsEditor(this);
    const { scratch, workspace = scratch, ...options } = await make(later);
    const { vsix, output } = await packExtension(scratch);
    const server = await startEditor({ ...options, vsix });
    later(() => server.stop());
    const browser = await launchBrowser();
    later(() => browser.close());
    window = await openWorkbench(browser, server, { folder: workspace, shots: SHOTS });
    await opened({ window, server, browser, packed: output });
  });
  after(async () => {
    for (const end of ends.toReversed()) await end();
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed")
      await window?.shot(`failed-${this.currentTest.fullTitle().replaceAll(/\W+/g, "-").slice(0, 120)}`);
  });
}
