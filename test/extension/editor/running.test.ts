// What runs from a backup, in the window: a machine with its console and screen, disks by NBD, and what is left when it ends.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Locator } from "playwright-core";
import { tinyGuest } from "../../fixtures/guests.js";
import { MachineTests } from "../../support/machineTests.js";
import { openWorkbench } from "../support/browser.js";
import { type OpenedEditor, SHOTS, useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

const run = promisify(execFile);
const BOOT_MS = 300_000;
const GONE_MS = 30_000;

describe("what runs from a backup in the editor", function () {
  this.timeout(2 * BOOT_MS);
  let tests: MachineTests | undefined;
  let editor: OpenedEditor;
  let window: Workbench;
  useEditor(
    async (later) => {
      const opened = await MachineTests.open();
      tests = opened;
      later(() => opened.close());
      await opened.backUp("vm/web1", await tinyGuest());
      const workspace = opened.path("workspace");
      await mkdir(workspace);
      return {
        workspace,
        settings: { "terminal.integrated.gpuAcceleration": "off" },
        machineSettings: { "reprise.repositories": [{ location: opened.repository, name: "Lab" }] },
        env: { TMPDIR: opened.runs },
      };
    },
    async (opened) => {
      editor = opened;
      window = opened.window;
      await selectSnapshot(window);
    },
  );

  const openAnother = async () => {
    assert.ok(tests !== undefined);
    const opened = await openWorkbench(editor.browser, editor.server, {
      folder: tests.path("workspace"),
      shots: SHOTS,
    });
    await selectSnapshot(opened);
    return opened;
  };
  const selectSnapshot = async (opened: Workbench) => {
    await opened.openContainer("Backups");
    for (const label of ["Lab", "web1"]) await opened.expand(label);
    await opened.select(snapshotRow(opened));
  };
  const snapshotRow = ({ page }: Workbench) => page.locator(".sidebar .monaco-list-row[aria-level='4']").first();
  const dialogButton = ({ page }: Workbench, name: string) =>
    page.locator(".monaco-dialog-box").getByRole("button", { name, exact: true });
  const status = ({ page }: Workbench): Locator =>
    page.locator(".statusbar-item").filter({ has: page.locator(".codicon-vm-running, .codicon-plug") });
  const consoleText = async ({ page }: Workbench) =>
    (await page.locator(".terminal .xterm-rows").allInnerTexts()).join("\n");
  const untilConsole = async (window: Workbench, text: RegExp) => {
    for (const endMs = Date.now() + BOOT_MS; !text.test(await consoleText(window)); await sleep(500))
      if (Date.now() > endMs) assert.fail(await consoleText(window));
  };
  /** QEMU processes of this test: their disks and sockets are where runs happen. */
  const machines = async (): Promise<number[]> => {
    const found: number[] = [];
    for (const name of await readdir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const words = await readFile(join("/proc", name, "cmdline"), "utf8").catch(() => "");
      if (words.includes("qemu-system") && words.includes(tests?.runs ?? "-")) found.push(Number(name));
    }
    return found;
  };
  const ours = async () => (await readdir(tests?.runs ?? "")).filter((name) => name.startsWith("reprise-"));
  const untilNoMachine = async () => {
    for (const endMs = Date.now() + GONE_MS; (await machines()).length > 0; await sleep(200))
      if (Date.now() > endMs) assert.fail(`left: ${await machines()}`);
  };
  const untilNothingRuns = async () => {
    for (
      const endMs = Date.now() + GONE_MS;
      (await machines()).length > 0 || (await ours()).length > 0;
      await sleep(200)
    )
      if (Date.now() > endMs) assert.fail(`left: ${await machines()} ${await ours()}`);
  };
  const rowDetails = async ({ page }: Workbench) =>
    (await page.locator(".quick-input-list .monaco-list-row .quick-input-list-label-meta").allInnerTexts()).map(
      (text) => text.replaceAll("\u00a0", " "),
    );

  it("starts a machine whose console is a terminal and whose screen is a socket", async () => {
    await window.command("Reprise: Start Machine From Snapshot");
    await dialogButton(window, "Start with VNC Screen").waitFor();
    await window.shot("boot-1-question");
    await dialogButton(window, "Start with VNC Screen").click();
    await window.notification(/Its screen is on the unix socket/).waitFor();
    await untilConsole(window, /FIXTURE-READY/);
    await window.shot("boot-2-console");
    assert.equal((await machines()).length, 1);
    await status(window).click();
    await window.question("started from its backup");
    const details = await rowDetails(window);
    const socket = details.find((text) => text.endsWith(".sock") && !text.includes(" ")) ?? "";
    assert.ok((await stat(socket)).isSocket(), details.join("\n"));
    assert.ok(details.some((text) => text.startsWith("vncviewer ")));
    await window.shot("boot-3-what-runs");
    await window.pick("Stop Machine");
    await untilNothingRuns();
    await status(window).waitFor({ state: "detached" });
  });

  it("serves disks by NBD, with commands that connect", async () => {
    await window.select(snapshotRow(window));
    await window.command("Reprise: Serve Disks of Snapshot by NBD");
    await window.notification(/is served read-only/).waitFor();
    await window
      .notification(/is served read-only/)
      .getByRole("button", { name: "Copy Command…" })
      .click();
    await window.question("served by NBD");
    await window.shot("nbd-commands");
    const lines = await rowDetails(window);
    const [look, copy] = ["nbdinfo ", "qemu-img create "].map((start) => lines.find((line) => line.startsWith(start)));
    const { stdout } = await run("sh", ["-c", look ?? "false"]);
    assert.match(stdout, /is_read_only: true/);
    await run("sh", ["-c", copy ?? "false"], { cwd: tests?.folder });
    await window.page.keyboard.press("Escape");
    await window.command("Reprise: Stop Serving by NBD");
    await untilNothingRuns();
    await status(window).waitFor({ state: "detached" });
  });

  it("ends the machine when its terminal is closed, and with the window", async () => {
    await window.select(snapshotRow(window));
    const start = async (other: Workbench) => {
      await other.command("Reprise: Start Machine From Snapshot");
      await dialogButton(other, "Start with Console").click();
      await untilConsole(other, /Linux version|FIXTURE|Booting|GRUB/i);
    };
    await start(window);
    await window.command("Terminal: Kill the Active Terminal Instance");
    await untilNothingRuns();
    const other = await openAnother();
    await start(other);
    assert.equal((await machines()).length, 1);
    const left = await ours();
    await other.page.goto("about:blank");
    await other.close();
    // the editor's server gives a window that vanishes no time: the kernel ends the machine, the next start removes the folder
    await untilNoMachine();
    const another = await openAnother();
    await start(another);
    assert.ok(!(await ours()).some((name) => left.includes(name)));
    await another.command("Reprise: Stop Machine Started From Snapshot");
    await untilNothingRuns();
    await another.close();
  });
});
