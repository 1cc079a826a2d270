// Opens what restore tests left: the report as a page in the editor, pictures of the machine's screen as images.

import { commands, type Disposable, l10n, Uri, ViewColumn, type WebviewPanel, window, workspace } from "vscode";
import { outcomeText } from "../model/machineWords.js";
import type { LastResults, LastTestResult } from "./lastResults.js";

const MAX_REPORT_BYTES = 64 * 1024 * 1024;

export class TestReports implements Disposable {
  readonly #results: LastResults;
  readonly #panels = new Set<WebviewPanel>();

  constructor(results: LastResults) {
    this.#results = results;
  }

  dispose(): void {
    for (const panel of this.#panels) panel.dispose();
  }

  /** Among the results given, or all there are. */
  async openReport(results: readonly LastTestResult[] = this.#results.all()): Promise<void> {
    const picked = await pick(
      results.filter(({ report }) => report !== null),
      l10n.t("Which report?"),
    );
    if (picked?.report == null) return;
    const uri = Uri.file(picked.report);
    if ((await workspace.fs.stat(uri)).size > MAX_REPORT_BYTES) return void commands.executeCommand("vscode.open", uri);
    const html = new TextDecoder().decode(await workspace.fs.readFile(uri));
    const title = l10n.t("Restore test of {0}", picked.machine);
    // the page needs no script, and brings its pictures and a policy of its own with it
    const panel = window.createWebviewPanel("reprise.testReport", title, ViewColumn.Active, { enableScripts: false });
    this.#panels.add(panel);
    panel.onDidDispose(() => this.#panels.delete(panel));
    panel.webview.html = html;
  }

  async openScreenshot(results: readonly LastTestResult[] = this.#results.all()): Promise<void> {
    const withPictures = results.filter(({ screenshots }) => screenshots.length > 0);
    const picked = await pick(withPictures, l10n.t("The screen of which machine?"));
    const last = picked?.screenshots.at(-1);
    if (last !== undefined) await commands.executeCommand("vscode.open", Uri.file(last));
    else if (withPictures.length === 0)
      void window.showInformationMessage(l10n.t("There is no picture of its screen."));
  }
}

async function pick(results: readonly LastTestResult[], title: string): Promise<LastTestResult | undefined> {
  if (results.length === 0) {
    void window.showInformationMessage(l10n.t("No restore test was run here yet."));
    return undefined;
  }
  if (results.length === 1) return results[0];
  const items = results.map((result) => ({
    ...{ label: result.machine, description: result.test, detail: outcomeText(result.outcome, l10n.t), result },
  }));
  return (await window.showQuickPick(items, { title, matchOnDescription: true }))?.result;
}
