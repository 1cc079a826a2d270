// The browser of the tests, and the editor's window in it. The one file that knows playwright.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { format } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";
import { browserPath, type EditorServer } from "./editorServer.js";
import { Workbench } from "./workbench.js";

/** Beside other tests on two cores, everything takes its time. */
export const PATIENCE_MS = 120_000;
const SIZE = { width: 1400, height: 900 };

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: browserPath(),
    headless: true,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync"],
    ],
  });
}

export interface OpenOptions {
  /** A folder or a workspace file of this machine, or a folder's URI. */
  folder?: string;
  /** Where screenshots go; none are made without. */
  shots?: string;
}

/** A window of its own: nothing is shared with other windows but the server. */
export async function openWorkbench(
  browser: Browser,
  server: EditorServer,
  { folder, shots }: OpenOptions = {},
): Promise<Workbench> {
  const page = await newPage(browser);
  const url = new URL(server.url);
  if (folder === undefined) url.searchParams.set("ew", "true");
  else url.searchParams.set(folder.endsWith(".code-workspace") ? "workspace" : "folder", folder);
  await page.goto(url.href, { waitUntil: "domcontentloaded", timeout: PATIENCE_MS });
  await page.locator(".monaco-workbench").waitFor();
  await page.locator(".part.statusbar .statusbar-item").first().waitFor();
  if (shots !== undefined) await mkdir(shots, { recursive: true });
  return new Workbench(page, shots === undefined ? undefined : (name) => join(shots, `${name}.png`));
}

async function newPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: SIZE, locale: "en-US", timezoneId: "UTC" });
  context.setDefaultTimeout(PATIENCE_MS);
  return await context.newPage();
}

export interface HostRun {
  /** 0: run() resolved. */
  code: number | "timeout";
  log: string;
}

/**
 * Loads the extension as one under development and calls run() of a CommonJS module inside the real extension host. The server has
 * to be started with TEST_HOST_ARGS: a built workbench takes such requests with that switch only.
 */
export async function runInHost(
  browser: Browser,
  server: EditorServer,
  tests: string,
  folder: string,
): Promise<HostRun> {
  const page = await newPage(browser);
  const log: string[] = [];
  const ended = new Promise<number>((resolve) => void page.exposeFunction("codeAutomationExit", resolve));
  await page.exposeFunction("codeAutomationLog", (_: string, args: unknown[]) => void log.push(format(...args)));
  const remote = (path: string) => `vscode-remote://127.0.0.1:${server.port}${path}`;
  const url = new URL(server.url);
  url.searchParams.set("folder", folder);
  const payload = [
    ["extensionDevelopmentPath", remote(server.extensionFolder)],
    ["extensionTestsPath", remote(tests)],
  ];
  url.searchParams.set("payload", JSON.stringify(payload));
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<"timeout">((resolve) => {
    timer = setTimeout(resolve, 4 * PATIENCE_MS, "timeout");
  });
  try {
    await page.goto(url.href, { waitUntil: "domcontentloaded", timeout: PATIENCE_MS });
    return { code: await Promise.race([ended, tooLong]), log: log.join("\n") };
  } finally {
    clearTimeout(timer);
    await page.context().close();
  }
}

export const TEST_HOST_ARGS = ["--vscode-option", "enable-smoke-test-driver"];
