// Restore tests and policies as a person meets them: the view, the Test Explorer, a policy in the editor, the gates of two policies; with
// a passphrase that nothing but the editor knows, in a workspace that is opened through a link.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeSampleRepository, SAMPLE_PASSPHRASE } from "../support/sampleRepository.js";
import { expandTests, passedItem, testItem } from "../support/testExplorer.js";
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

const anotherPolicy = (location: string) => `repositories:
  main: {location: ${location}}
machines:
  prod:vm/web1: {owner: team-web}
gates:
  web:
    evidence: main
    level: readable
    rules:
      - {paths: [web/], machines: prod:vm/web1}
`;

describe("restore tests in the editor", () => {
  let window: Workbench;
  useEditor(
    async (later) => {
      const sample = await makeSampleRepository();
      later(sample.remove);
      const [top, workspace] = [join(sample.folder, "workspace"), join(sample.folder, "linked")];
      await makeChange(top, sample.location);
      await symlink(top, workspace);
      const machineSettings = { "reprise.repositories": [{ location: sample.location, name: "Acme" }] };
      return { workspace, machineSettings, settings: { "git.enabled": true } };
    },
    (opened) => {
      window = opened.window;
    },
  );

  const status = () => window.page.locator('.statusbar-item[id*="reprise.gate"]');
  const reasons = async () => {
    await window.command("Reprise: Check the Gate for the Present Changes");
    const question = await window.question("production");
    const text = (await question.textContent()) ?? "";
    return { question, text };
  };

  it("shuts the gates while nobody has typed the passphrase", async () => {
    await status().getByText("Gate: blocked").waitFor();
    assert.match((await reasons()).text, /cannot be read/);
    await window.page.keyboard.press("Escape");
  });

  it("reads the repository with the passphrase that was typed, and compares with the base", async () => {
    await window.openContainer("Backups");
    await window.expand("Acme");
    await (await window.reach("Enter the passphrase…")).click();
    await window.answer("Passphrase of", SAMPLE_PASSPHRASE);
    await window.row("odd").waitFor();
    const { question, text } = await reasons();
    assert.doesNotMatch(text, /cannot be read/);
    assert.match(text, /production — [^ ]*reprise\.yml[\s\S]*web — [^ ]*apps\/reprise\.yml/);
    const compared = await question.locator("input.input").getAttribute("placeholder");
    assert.match(compared ?? "", /^Compared with main \([0-9a-f]{9}\)$/);
    await window.shot("gate-reasons");
    await window.page.keyboard.press("Escape");
  });

  it("shows machines without any test", async () => {
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
    await testItem(window, "reprise.yml").waitFor();
    await window.command("Test: Run All Tests");
    await expandTests(window, ["reprise.yml", "web1", "prod:vm/web1"]);
    for (const label of ["prod:vm/web1", "hostname"]) await passedItem(window, label).waitFor();
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
    await passedItem(window, "level.chunks").waitFor();
    await window.shot("restore-tests-gate-open");
  });
});

/** A commit with two policies on main, and one on a branch that touches what the first one's gate guards. */
async function makeChange(folder: string, location: string): Promise<void> {
  for (const name of ["db", "apps"]) await mkdir(join(folder, name), { recursive: true });
  const git = (...args: string[]) => run("git", ["-C", folder, ...IDENTITY, ...args]);
  await git("init", "-q", "-b", "main");
  await writeFile(join(folder, "reprise.yml"), policy(location));
  await writeFile(join(folder, "apps", "reprise.yml"), anotherPolicy(location));
  await git("add", ".");
  await git("commit", "-q", "-m", "policies");
  await git("checkout", "-q", "-b", "change");
  await writeFile(join(folder, "db", "one.sql"), "select 1;\n");
  await git("add", ".");
  await git("commit", "-q", "-m", "data");
}
