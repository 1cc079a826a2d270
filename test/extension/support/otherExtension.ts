// An extension of somebody else in the editor: calls what it likes, also in a workspace that is not trusted, and writes down what came of it.

import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { inProject } from "../../support/projectRoot.js";

const run = promisify(execFile);
/** A command that asks something has not ended by then. */
const CALL_MS = 6000;
const WAIT_MS = 120_000;

export interface ForeignCall {
  command: string;
  arguments: readonly unknown[];
}

export interface ForeignReport {
  isTrusted: boolean;
  /** Of the settings of ours, as every extension sees them. */
  settings: Record<string, unknown>;
  outcomes: Record<string, "done" | "asks" | "failed">;
}

/** Packs it into the folder; it begins by itself when the window is there. */
export async function packOtherExtension(folder: string, calls: readonly ForeignCall[]): Promise<string> {
  const [source, vsix] = [join(folder, "other"), join(folder, "other.vsix")];
  await mkdir(source);
  const manifest = {
    ...{ name: "other", publisher: "somebody", version: "1.0.0", engines: { vscode: "^1.101.0" }, main: "main.cjs" },
    activationEvents: ["onStartupFinished"],
    capabilities: { untrustedWorkspaces: { supported: true } },
  };
  await writeFile(join(source, "package.json"), JSON.stringify(manifest));
  await writeFile(join(source, "README.md"), "calls");
  await writeFile(join(source, "main.cjs"), programText(calls, reportPath(folder)));
  const vsce = inProject("node_modules", "@vscode", "vsce", "vsce");
  const quiet = ["--allow-missing-repository", "--skip-license", "--no-dependencies", "--out", vsix];
  await run(process.execPath, [vsce, "package", ...quiet], { cwd: source });
  return vsix;
}

export async function foreignReport(folder: string): Promise<ForeignReport> {
  for (const endMs = Date.now() + WAIT_MS; ; await sleep(200)) {
    const text = await readFile(reportPath(folder), "utf8").catch(() => undefined);
    if (text !== undefined) return JSON.parse(text) as ForeignReport;
    if (Date.now() > endMs) throw new Error("the other extension did not end");
  }
}

function reportPath(folder: string): string {
  return join(folder, "other-report.json");
}

function programText(calls: readonly ForeignCall[], report: string): string {
  return `
const { commands, workspace, extensions } = require("vscode");
const { renameSync, writeFileSync } = require("node:fs");
exports.activate = async () => {
  await extensions.getExtension("reprise.reprise").activate();
  const pause = () => new Promise((resolve) => setTimeout(resolve, ${CALL_MS}, "asks"));
  const outcomes = {};
  await Promise.all(${JSON.stringify(calls)}.map(async ({ command, arguments: given }) => {
    const called = commands.executeCommand(command, ...given).then(() => "done", () => "failed");
    outcomes[command] = await Promise.race([called, pause()]);
  }));
  const section = workspace.getConfiguration("reprise");
  const settings = Object.fromEntries(["repositories", "machines", "qemuPath"].map((name) => [name, section.get(name)]));
  const report = JSON.stringify({ isTrusted: workspace.isTrusted, settings, outcomes });
  writeFileSync(${JSON.stringify(`${report}.part`)}, report);
  renameSync(${JSON.stringify(`${report}.part`)}, ${JSON.stringify(report)});
};
`;
}
