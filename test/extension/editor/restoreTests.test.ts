// Restore tests and policies as a person meets them: the view, the Test Explorer, a policy in the editor, the gate.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeSampleRepository, SAMPLE_PASSPHRASE } from "../support/sampleRepository.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

const run = promisify(execFile);
const IDENTITY = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];

const policy = (location: string) => `repositories:
  main: {location: ${location}}
machines:
  prod:vm/web1:
    owner: team-web
    disks: /dev/web1
  vm/odd:
jobs:
  nightly:
    backup: all
    schedule: mon..fri 02:30
    retention: {daily: 7, weekly: 4}
restore-tests:
  - name: web1
    machine: prod:vm/web1
    level: readable
    checks:
      - {id: hostname, type: file, path: /etc/hostname, matches: web1}
      - {id: certificate, type: file, path: /etc/ssl/web1.pem, severity: warn}
gates:
  production:
    evidence: main
    level: readable
    rules:
      - {paths: "**", machines: none}
      - {paths: [db/], machines: prod:vm/web1}
`;

describe("restore tests in the editor", () => {
  let window: Workbench;
  useEditor(
    async (later) => {
      const sample = await makeSampleRepository();
      later(sample.remove);
      const workspace = join(sample.folder, "workspace");
      await makeChange(workspace, policy(sample.location));
      const machineSettings = { "reprise.repositories": [{ location: sample.location, name: "Acme" }] };
      const env = { REPRISE_REPOSITORY: sample.location, REPRISE_PASSPHRASE: SAMPLE_PASSPHRASE };
      return { scratch: sample.folder, workspace, env, machineSettings, settings: { "git.enabled": true } };
    },
    (opened) => {
      window = opened.window;
    },
  );

  const status = () => window.page.locator('.statusbar-item[id*="reprise.gate"]');

  const item = (label: string) =>
    window.page.locator(".test-explorer .monaco-list-row").filter({ hasText: label }).first();
  const expand = async (label: string) => {
    if ((await item(label).getAttribute("aria-expanded")) !== "true")
      await item(label).locator(".monaco-tl-twistie").click();
  };

  it("shows machines without any test first", async () => {
    await window.openContainer("Backups");
    await window.command("Backups: Focus on Restore Tests View");
    await window.row("prod:vm/web1").waitFor();
    const rows = (await window.rows()).filter((row) => /never restored in a test/.test(row));
    assert.equal(rows.length, 2);
  });

  it("shuts the gate for a change that nothing proves, and says why", async () => {
    await status().getByText("Gate: blocked").waitFor();
    await status().click();
    const question = await window.question("prod:vm/web1");
    assert.match((await question.textContent()) ?? "", /db\/one\.sql/);
    await window.shot("restore-tests-gate");
    await window.page.keyboard.press("Escape");
  });

  it("runs a test from the Test Explorer, check by check", async () => {
    await window.openContainer("Testing");
    await item("reprise.yml").waitFor();
    await window.command("Test: Run All Tests");
    await window.page.locator(".test-explorer .codicon-testing-passed-icon").first().waitFor();
    for (const label of ["reprise.yml", "web1", "prod:vm/web1"]) await expand(label);
    await item("hostname").waitFor();
    await window.shot("restore-tests-explorer");
  });

  it("opens the report of the test", async () => {
    await window.command("Reprise: Open Report of Restore Test");
    await window.webview().getByText("prod:vm/web1").first().waitFor();
    await window.shot("restore-tests-report");
  });

  it("helps with the policy: how machines stand, and how the test ended", async () => {
    await window.page.keyboard.press("Control+P");
    const input = window.page.locator(".quick-input-widget:visible input.input");
    await input.fill("reprise.yml");
    await window.pick("reprise.yml");
    await window.page
      .locator(".codelens-decoration")
      .getByText(/files readable/)
      .first()
      .waitFor();
    await window.page.locator(".codelens-decoration").getByText("Run test").waitFor();
    await window.shot("restore-tests-policy");
  });

  it("opens the gate for what the test has proven", async () => {
    await status().getByText("Gate: go").waitFor();
    await item("level.chunks").waitFor();
    await window.shot("restore-tests-gate-open");
  });
});

/** A commit with the policy on main, and one on a branch that touches what the gate guards. */
async function makeChange(folder: string, text: string): Promise<void> {
  await mkdir(join(folder, "db"), { recursive: true });
  const git = (...args: string[]) => run("git", ["-C", folder, ...IDENTITY, ...args]);
  await git("init", "-q", "-b", "main");
  await writeFile(join(folder, "reprise.yml"), text);
  await git("add", ".");
  await git("commit", "-q", "-m", "policy");
  await git("checkout", "-q", "-b", "change");
  await writeFile(join(folder, "db", "one.sql"), "select 1;\n");
  await git("add", ".");
  await git("commit", "-q", "-m", "data");
}
