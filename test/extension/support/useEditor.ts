// One editor with one window for the tests of a suite, which are steps: opened before them, ended after them, with a picture of the
// step that fails; those after it fail at once.

import type { Browser } from "playwright-core";
import { inProject } from "../../support/projectRoot.js";
import { launchBrowser, openWorkbench } from "./browser.js";
import { type EditorOptions, type EditorServer, needsEditor, startEditor } from "./editorServer.js";
import { packExtension } from "./packagedExtension.js";
import type { Workbench } from "./workbench.js";

/** Where pictures go; REPRISE_SCREENSHOTS names another folder. */
export const SHOTS = process.env.REPRISE_SCREENSHOTS ?? inProject("build", "screenshots");

export interface Scene extends Omit<EditorOptions, "vsix"> {
  /** What the window opens. */
  workspace: string;
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
  const takePicture = async (title: string) =>
    await window?.shot(`failed-${title.replaceAll(/\W+/g, "-").slice(0, 120)}`);

  before(async function () {
    needsEditor(this);
    const { workspace, ...options } = await make(later);
    const { vsix, output } = await packExtension();
    const server = await startEditor({ ...options, vsix });
    later(() => server.stop());
    const browser = await launchBrowser();
    later(() => browser.close());
    window = await openWorkbench(browser, server, { folder: workspace, shots: SHOTS });
    try {
      await opened({ window, server, browser, packed: output });
    } catch (error) {
      await takePicture(`before ${this.test?.parent?.fullTitle()}`);
      throw error;
    }
  });
  after(async () => {
    const problems: unknown[] = [];
    for (const end of ends.toReversed()) await end().catch((error: unknown) => problems.push(error));
    if (problems.length > 0) throw new AggregateError(problems, `what was prepared could not be ended: ${problems}`);
  });
  failAfterFirst(takePicture);
}

/** In a window where a step went wrong, each one after it would wait for what cannot come until its time is over. */
function failAfterFirst(takePicture: (title: string) => Promise<void>): void {
  let first: string | undefined;
  beforeEach(() => {
    if (first !== undefined) throw new Error(`not tried: an earlier step of this window failed: ${first}`);
  });
  afterEach(async function () {
    if (this.currentTest?.state !== "failed") return;
    first ??= this.currentTest.title;
    await takePicture(this.currentTest.fullTitle());
  });
}
