// Restore tests in the Test Explorer: found in the workspace when it is looked at, run one after the other in the service. In a
// workspace that is not trusted they are shown and cannot be run: a check may start a program.

import {
  type CancellationToken,
  commands,
  type Disposable,
  l10n,
  type TestController,
  type TestItem,
  TestRunProfileKind,
  TestRunRequest,
  tests,
  Uri,
  workspace,
} from "vscode";
import { isOurs, type Policies } from "../policy/policies.js";
import { findOurs } from "../policy/workspaceFiles.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import { itemsBelow, placeOf, showFile } from "./testItems.js";
import { askForTrust, type TestRunParts, TestRuns } from "./testRuns.js";

export interface TestExplorerParts extends TestRunParts {
  policies: Policies;
}

export class TestExplorer implements Disposable {
  readonly #parts: TestExplorerParts;
  readonly #controller: TestController;
  readonly #runs: TestRuns;
  readonly #listeners: Disposable[];
  #found: Promise<void> | undefined;

  constructor(parts: TestExplorerParts) {
    this.#parts = parts;
    this.#controller = tests.createTestController("reprise.restoreTests", l10n.t("Restore tests"));
    this.#runs = new TestRuns(this.#controller, parts);
    this.#controller.resolveHandler = () => this.find();
    this.#controller.refreshHandler = () => this.#findAnew();
    this.#listeners = [
      this.#controller,
      parts.policies.onDidChange((uri) => void this.#read(uri)),
      workspace.onDidGrantWorkspaceTrust(() => this.#offerRuns()),
    ];
    this.#offerRuns();
  }

  dispose(): void {
    for (const listener of this.#listeners) listener.dispose();
  }

  /** Once; afterwards the policies tell what changes. What failed is tried again. */
  find(): Promise<void> {
    const finding = this.#found ?? this.#findAnew();
    this.#found = finding;
    finding.catch(() => {
      if (this.#found === finding) this.#found = undefined;
    });
    return finding;
  }

  /** Items of tests that have the machine. */
  async testsOf(machine: string): Promise<TestItem[]> {
    await this.find();
    return [...itemsBelow(this.#controller.items)].filter((item) => {
      const place = placeOf(item);
      return place?.machine === machine && place.check === null;
    });
  }

  async testAt(file: string, test: string): Promise<TestItem | undefined> {
    await this.#read(Uri.parse(file, true));
    return [...itemsBelow(this.#controller.items)].find((item) => {
      const place = placeOf(item);
      return place?.file.toString() === file && place.test === test && place.machine === null;
    });
  }

  /** As if it was run in the Test Explorer, which shows it. */
  async run(items: readonly TestItem[], repository?: ConfiguredRepository): Promise<void> {
    if (!workspace.isTrusted) return await askForTrust();
    void commands.executeCommand("testing.showMostRecentOutput");
    const request = new TestRunRequest([...items], undefined, undefined, false, true);
    await this.#run(request, undefined, repository);
  }

  #offerRuns(): void {
    if (!workspace.isTrusted) return;
    const handler = (request: TestRunRequest, token: CancellationToken) => this.#run(request, token);
    this.#controller.createRunProfile(l10n.t("Run"), TestRunProfileKind.Run, handler, true);
  }

  async #findAnew(): Promise<void> {
    const found = await Promise.all([findOurs("policy"), findOurs("spec")]);
    const open = workspace.textDocuments.filter(isOurs).map(({ uri }) => uri);
    const all = new Map([...found.flat(), ...open].map((uri) => [uri.toString(), uri]));
    await Promise.all([...all.values()].map((uri) => this.#read(uri)));
  }

  /** Also the files that a policy names. One with mistakes keeps the tests that it had. */
  async #read(uri: Uri): Promise<void> {
    const reading = await this.#parts.policies.read(uri).catch(() => undefined);
    const own = (reading?.data.restoreTests ?? []).filter(({ file }) => file === uri.fsPath);
    const isBroken = own.length === 0 && reading?.data.problems.some(({ severity }) => severity === "error");
    if (isBroken) return;
    showFile(this.#controller, uri, workspace.asRelativePath(uri), own);
    const named = (reading?.data.restoreTests ?? []).map(({ file }) => file).filter((file) => file !== uri.fsPath);
    for (const file of new Set(named)) {
      const elsewhere = Uri.file(file);
      const tests = reading?.data.restoreTests.filter((test) => test.file === file) ?? [];
      showFile(this.#controller, elsewhere, workspace.asRelativePath(elsewhere), tests);
    }
  }

  async #run(request: TestRunRequest, token?: CancellationToken, given?: ConfiguredRepository): Promise<void> {
    if (!workspace.isTrusted) return await askForTrust();
    await this.find();
    await this.#runs.run(request, token, given);
  }
}
