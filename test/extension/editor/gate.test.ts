// The gates in the status bar, with a passphrase that nothing but the editor knows, a workspace that is opened through a link, and two
// policies.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeSampleRepository, SAMPLE_PASSPHRASE } from "../support/sampleRepository.js";
import { useEditor } from "../support/useEditor.js";
import type { Workbench } from "../support/workbench.js";

const run = promisify(execFile);
const IDENTITY = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];

const policy = (location: string, gate: string, paths: string) => `repositories:
  main: {location: ${location}}
machines:
  prod:vm/web1: {owner: team-web}
gates:
  ${gate}:
    evidence: main
    level: readable
    rules:
      - {paths: [${paths}], machines: prod:vm/web1}
`;

describe("gates in the status bar", () => {
  let window: Workbench;
  let top: string;
  const git = (...args: string[]) => run("git", ["-C", top, ...IDENTITY, ...args]);
  useEditor(
    async (later) => {
      const sample = await makeSampleRepository();
      later(sample.remove);
      top = join(sample.folder, "workspace");
      await makeChange(sample.location);
      const workspace = join(sample.folder, "linked");
      await symlink(top, workspace);
      const machineSettings = { "reprise.repositories": [{ location: sample.location, name: "Acme" }] };
      const settings = { "git.enabled": true, "workbench.hover.delay": 300 };
      return { scratch: sample.folder, workspace, machineSettings, settings };
    },
    (opened) => {
      window = opened.window;
    },
  );

  /** Policies with the gates `production` and `web` on main, and a pushed branch that touches what the first one guards. */
  async function makeChange(location: string): Promise<void> {
    for (const folder of ["db", "apps"]) await mkdir(join(top, folder), { recursive: true });
    await git("init", "-q", "-b", "main");
    await writeFile(join(top, "reprise.yml"), policy(location, "production", "db/"));
    await writeFile(join(top, "apps", "reprise.yml"), policy(location, "web", "web/"));
    await git("add", ".");
    await git("commit", "-q", "-m", "policies");
    await git("checkout", "-q", "-b", "change");
    await writeFile(join(top, "db", "one.sql"), "select 1;\n");
    await git("add", ".");
    await git("commit", "-q", "-m", "data");
    await git("remote", "add", "origin", "https://git.example.org/acme.git");
    await git("update-ref", "refs/remotes/origin/change", "HEAD");
    await git("config", "branch.change.remote", "origin");
    await git("config", "branch.change.merge", "refs/heads/change");
    // staged, and changed once more: one file
    await writeFile(join(top, "db", "two.sql"), "select 2;\n");
    await git("add", ".");
    await writeFile(join(top, "db", "two.sql"), "select 3;\n");
  }

  const status = () => window.page.locator('.statusbar-item[id*="reprise.gate"]');
  const reasons = async () => {
    await window.command("Reprise: Check the Gate for the Present Changes");
    const question = await window.question("production");
    const text = (await question.textContent()) ?? "";
    return text;
  };

  it("are shut while nobody has typed the passphrase", async () => {
    await status().getByText("Gate: blocked").waitFor();
    assert.match(await reasons(), /cannot be read/);
    await window.page.keyboard.press("Escape");
  });

  it("read the repository with the passphrase that was typed", async () => {
    await window.openContainer("Backups");
    await window.expand("Acme");
    await (await window.reach("Enter the passphrase…")).click();
    await window.answer("Passphrase of", SAMPLE_PASSPHRASE);
    await window.row("odd").waitFor();
    const text = await reasons();
    assert.doesNotMatch(text, /cannot be read/);
    assert.match(text, /db\/one\.sql/);
    assert.match(text, /production — [^ ]*reprise\.yml[\s\S]*web — [^ ]*apps\/reprise\.yml/);
    const input = window.page.locator(".quick-input-widget:visible input.input");
    assert.match((await input.getAttribute("placeholder")) ?? "", /^Compared with main \([0-9a-f]{9}\)$/);
    await window.shot("gate-reasons");
    await window.page.keyboard.press("Escape");
  });

  it("stay when the file has a mistake: the policy of the base counts", async () => {
    await writeFile(join(top, "reprise.yml"), "nonsense: [\n");
    const text = await reasons();
    assert.match(text, /db\/one\.sql/);
    await window.page.keyboard.press("Escape");
    await status().getByText("Gate: blocked").waitFor();
  });

  it("name the base, the time and what does not count", async () => {
    // the policy, and the file that is staged and changed again; git hears of what another program has changed a little later
    const isCounted = /do not count: 2\./;
    let text = "";
    for (const endMs = Date.now() + 60_000; !isCounted.test(text) && Date.now() < endMs; ) {
      await reasons();
      await window.page.keyboard.press("Escape");
      await window.page.mouse.move(700, 300);
      await status().hover();
      const hover = window.page.locator(".workbench-hover").filter({ hasText: "As of" }).first();
      await hover.waitFor();
      text = (await hover.textContent()) ?? "";
    }
    await window.shot("gate-tooltip");
    assert.match(text, /Compared with main \([0-9a-f]{9}\)/);
    assert.match(text, /web \(.*apps\/reprise\.yml\)/);
    assert.match(text, isCounted);
  });
});
