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
import { kindOfName } from "../model/policyNames.js";
import { isOurs, type Policies } from "../policy/policies.js";
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
  /** Files with tests that a policy names, by policy. */
  readonly #named = new Map<string, ReadonlySet<string>>();
  #found: Promise<void> | undefined;

  constructor(parts: TestExplorerParts) {
    this.#parts = parts;
    this.#controller = tests.createTestController("reprise.restoreTests", l10n.t("Restore tests"));
    this.#runs = new TestRuns(this.#controller, parts);
    this.#controller.resolveHandler = () => this.find();
    this.#controller.refreshHandler = () => this.#findAll({ anew: true });
    this.#listeners = [
      this.#controller,
      parts.policies.onDidChange((uri) => this.#readAgain(uri)),
      workspace.onDidGrantWorkspaceTrust(() => this.#offerRuns()),
    ];
    this.#offerRuns();
  }

  dispose(): void {
    for (const listener of this.#listeners) listener.dispose();
  }

  /** Once; afterwards the policies tell what changes. What failed is tried again. */
  find(): Promise<void> {
    const finding = this.#found ?? this.#findAll({ anew: false });
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
    let problem: unknown;
    await this.#read(Uri.parse(file, true)).catch((error: unknown) => {
      problem = error;
    });
    const found = [...itemsBelow(this.#controller.items)].find((item) => {
      const place = placeOf(item);
      return place?.file.toString() === file && place.test === test && place.machine === null;
    });
    if (found === undefined && problem !== undefined) throw problem;
    return found;
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

  async #findAll({ anew }: { anew: boolean }): Promise<void> {
    const { policies } = this.#parts;
    const found = await Promise.all([policies.uris("policy", { anew }), policies.uris("spec")]);
    const open = workspace.textDocuments.filter(isOurs).map(({ uri }) => uri);
    const all = new Map([...found.flat(), ...open].map((uri) => [uri.toString(), uri]));
    // one that cannot be read keeps no other from being shown
    const settled = await Promise.allSettled([...all.values()].map((uri) => this.#read(uri)));
    for (const each of settled) if (each.status === "rejected") throw each.reason;
  }

  /** What could not be read keeps what was known, until somebody looks for tests again. */
  #readAgain(uri: Uri): void {
    this.#read(uri).catch(() => {
      this.#found = undefined;
    });
  }

  /** Also the files that a policy names. One with mistakes keeps the tests that it had. */
  async #read(uri: Uri): Promise<void> {
    const reading = await this.#parts.policies.read(uri);
    const byFile = Map.groupBy(reading?.data.restoreTests ?? [], ({ file }) => file);
    const own = byFile.get(uri.fsPath) ?? [];
    const isBroken = own.length === 0 && reading?.data.problems.some(({ severity }) => severity === "error");
    if (isBroken) return;
    showFile(this.#controller, uri, workspace.asRelativePath(uri), own);
    byFile.delete(uri.fsPath);
    for (const [file, tests] of byFile) {
      const elsewhere = Uri.file(file);
      showFile(this.#controller, elsewhere, workspace.asRelativePath(elsewhere), tests);
    }
    const before = this.#named.get(uri.toString()) ?? new Set();
    this.#named.set(uri.toString(), new Set(byFile.keys()));
    await Promise.all([...before].filter((file) => !byFile.has(file)).map((file) => this.#drop(file)));
  }

  /** A policy does not name it any more. Another one may, or it is found by itself. */
  async #drop(file: string): Promise<void> {
    if ([...this.#named.values()].some((files) => files.has(file))) return;
    const uri = Uri.file(file);
    const isOpen = workspace.textDocuments.some((each) => each.uri.toString() === uri.toString() && isOurs(each));
    const isFound = kindOfName(uri.path) !== undefined && workspace.getWorkspaceFolder(uri) !== undefined;
    if (isOpen || isFound) await this.#read(uri);
    else showFile(this.#controller, uri, "", []);
  }

  async #run(request: TestRunRequest, token?: CancellationToken, given?: ConfiguredRepository): Promise<void> {
    if (!workspace.isTrusted) return await askForTrust();
    // what is asked for by name is there already
    await this.find().catch((error: unknown) => {
      if (request.include === undefined) throw error;
    });
    await this.#runs.run(request, token, given);
  }
}
