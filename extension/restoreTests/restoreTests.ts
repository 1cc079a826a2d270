// Restore tests in the editor, put together: Test Explorer, the view of machines by proof, their commands.

import {
  commands,
  type Disposable,
  env,
  l10n,
  type Memento,
  type TestItem,
  Uri,
  WorkspaceEdit,
  window,
  workspace,
} from "vscode";
import { specFileName, specTemplate } from "../model/specTemplate.js";
import { lastResultText } from "../model/testResultWords.js";
import type { LastResult } from "../policy/codeLenses.js";
import type { MachineStates } from "../policy/machineStates.js";
import type { Policies } from "../policy/policies.js";
import { configuredRepositories } from "../repositories/configured.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import { type CoverageNode, CoverageTree, type CoveredMachine } from "./coverageTree.js";
import { LastResults, type LastTestResult } from "./lastResults.js";
import { type MachineSource, pickMachine } from "./pickMachine.js";
import { TestExplorer } from "./testExplorer.js";
import { placeOf } from "./testItems.js";
import { TestReports } from "./testReports.js";
import { TestRepository } from "./testRepository.js";

export interface RestoreTestParts {
  client: ServiceClient;
  repositories: OpenRepositories;
  policies: Policies;
  states: MachineStates;
  memory: Memento;
  storage: Uri;
  register: (name: string, run: (...given: never[]) => unknown) => Disposable;
}

export interface RestoreTests {
  parts: Disposable[];
  lastResult: LastResult;
}

export function restoreTests({ memory, register, ...parts }: RestoreTestParts): RestoreTests {
  const results = new LastResults(memory);
  const repository = new TestRepository(parts.policies, memory);
  const explorer = new TestExplorer({ ...parts, results, repository });
  const tree = new CoverageTree(parts.repositories, parts.policies, parts.states);
  const reports = new TestReports(results);
  const view = window.createTreeView<CoverageNode>("reprise.restoreTests", { treeDataProvider: tree });
  // after activation: what was kept is read then
  const soon = setTimeout(() => setContexts(results), 0);
  const machines: MachineSource = {
    statesOf: (configured) => tree.statesOf(configured),
    isOpen: (location) => parts.repositories.isOpen(location),
  };
  const run = new RestoreTestCommands(explorer, machines, results, reports);
  return {
    lastResult: (file, test, machines) =>
      lastResultText(results.of(file, test), machines, { nowMs: Date.now(), locale: env.language, t: l10n.t }),
    parts: [
      ...[results, explorer, tree, reports, view],
      { dispose: () => clearTimeout(soon) },
      results.onDidChange(() => setContexts(results)),
      register("runRestoreTest", (given?: CoverageNode | string, test?: string) => run.run(given, test)),
      register("createRestoreTest", (node?: CoverageNode) => run.create(node)),
      register("openTestReport", (given?: Given, test?: string) => run.openReport(given, test)),
      register("openTestScreenshot", (given?: Given, test?: string) => run.openScreenshot(given, test)),
      register("refreshRestoreTests", () => parts.states.refresh()),
    ],
  };
}

/** A row of the view, an item of the Test Explorer, or the file of a code lens. */
type Given = CoverageNode | TestItem | string;

class RestoreTestCommands {
  readonly #explorer: TestExplorer;
  readonly #machines: MachineSource;
  readonly #results: LastResults;
  readonly #reports: TestReports;

  constructor(explorer: TestExplorer, machines: MachineSource, results: LastResults, reports: TestReports) {
    this.#explorer = explorer;
    this.#machines = machines;
    this.#results = results;
    this.#reports = reports;
  }

  /** Of a code lens: the test in the file. Of a machine: the tests that have it; without one, a spec can be made. */
  async run(given?: CoverageNode | string, test?: string): Promise<void> {
    if (typeof given === "string") {
      const item = test === undefined ? undefined : await this.#explorer.testAt(given, test);
      return item === undefined ? undefined : await this.#explorer.run([item]);
    }
    const machine = await this.#machine(given);
    if (machine === undefined) return;
    const items = await this.#explorer.testsOf(machine.state.machine);
    if (items.length > 0) return await this.#explorer.run(items, machine.configured);
    const create = l10n.t("Create Restore Test");
    const message = l10n.t("No restore test in this workspace has {0}.", machine.state.machine);
    if ((await window.showInformationMessage(message, create)) === create) await this.create(machine);
  }

  /** A new file in the workspace, which is not saved yet. */
  async create(node?: CoverageNode): Promise<void> {
    const machine = await this.#machine(node);
    if (machine === undefined) return;
    const content = specTemplate(machine.state.machine);
    const folder = workspace.workspaceFolders?.find(({ uri }) => uri.scheme === "file")?.uri;
    if (folder === undefined) {
      await window.showTextDocument(await workspace.openTextDocument({ language: "yaml", content }));
      return;
    }
    const target = Uri.joinPath(folder, specFileName(machine.state.machine));
    const exists = await workspace.fs.stat(target).then(
      () => true,
      () => false,
    );
    const document = await workspace.openTextDocument(exists ? target : target.with({ scheme: "untitled" }));
    const editor = await window.showTextDocument(document);
    if (exists || document.getText() !== "") return;
    const edit = new WorkspaceEdit();
    edit.insert(editor.document.uri, editor.selection.start, content);
    await workspace.applyEdit(edit);
  }

  openReport(given?: Given, test?: string): Promise<void> {
    return this.#reports.openReport(this.#resultsOf(given, test));
  }

  openScreenshot(given?: Given, test?: string): Promise<void> {
    return this.#reports.openScreenshot(this.#resultsOf(given, test));
  }

  #resultsOf(given?: Given, test?: string): LastTestResult[] | undefined {
    if (given === undefined) return undefined;
    if (typeof given === "string") return this.#results.of(Uri.parse(given, true).fsPath, test ?? "");
    if ("kind" in given)
      return given.kind === "machine" && given.state !== undefined
        ? this.#results.all().filter(({ machine }) => machine === given.state.machine)
        : undefined;
    const place = placeOf(given);
    if (place?.test == null) return this.#results.all().filter(({ file }) => file === place?.file.fsPath);
    return this.#results.of(place.file.fsPath, place.test, place.machine ?? undefined);
  }

  /** The one of the row, or one that is picked. */
  async #machine(node?: CoverageNode): Promise<CoveredMachine | undefined> {
    // the Backups view has rows of the same kinds, and anybody may call
    if (node?.kind === "machine" && node.state !== undefined) return node;
    const repositories = node?.configured === undefined ? configuredRepositories() : [node.configured];
    return await pickMachine(repositories, this.#machines);
  }
}

function setContexts(results: LastResults): void {
  const hasReports = results.all().some(({ report }) => report !== null);
  void commands.executeCommand("setContext", "reprise.hasTestReports", hasReports);
}
