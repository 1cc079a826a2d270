// Restore tests in the Test Explorer: found in the workspace when it is looked at, run one after the other in the service. In a
// workspace that is not trusted they are shown and cannot be run: a check may start a program.

import {
  type CancellationToken,
  commands,
  type Disposable,
  l10n,
  type TestController,
  type TestItem,
  type TestRun,
  TestRunProfileKind,
  TestRunRequest,
  tests,
  Uri,
  window,
  workspace,
} from "vscode";
import { isAbort } from "../adapt/cancellation.js";
import { errorText } from "../adapt/errors.js";
import type { MachineStates } from "../policy/machineStates.js";
import { EXCLUDED, isOurs, POLICY_FILES, type Policies, SPEC_FILES } from "../policy/policies.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import { type ServiceClient, ServiceError } from "../service/client.js";
import type { LastResults } from "./lastResults.js";
import { itemsBelow, placeOf, showFile } from "./testItems.js";
import type { TestRepository } from "./testRepository.js";
import { LiveTest, obstacle, type TestToRun } from "./testRun.js";

const MAX_FILES = 1000;
const LOCKED = ["PASSPHRASE_MISSING", "PASSPHRASE_WRONG", "RECOVERY_KEY_INVALID"];

export interface TestExplorerParts {
  client: ServiceClient;
  repositories: OpenRepositories;
  policies: Policies;
  states: MachineStates;
  results: LastResults;
  repository: TestRepository;
  /** Folder for reports. */
  storage: Uri;
}

export class TestExplorer implements Disposable {
  readonly #parts: TestExplorerParts;
  readonly #controller: TestController;
  readonly #listeners: Disposable[];
  #found: Promise<void> | undefined;

  constructor(parts: TestExplorerParts) {
    this.#parts = parts;
    this.#controller = tests.createTestController("reprise.restoreTests", l10n.t("Restore tests"));
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

  /** Once; afterwards files are watched. */
  find(): Promise<void> {
    this.#found ??= this.#watch().then(() => this.#findAnew());
    return this.#found;
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

  async #watch(): Promise<void> {
    for (const pattern of [POLICY_FILES, SPEC_FILES]) {
      const watcher = workspace.createFileSystemWatcher(pattern);
      const changed = (uri: Uri) => this.#parts.policies.forget(uri);
      this.#listeners.push(
        watcher,
        watcher.onDidCreate(changed),
        watcher.onDidChange(changed),
        watcher.onDidDelete(changed),
      );
    }
  }

  async #findAnew(): Promise<void> {
    const found = await Promise.all(
      [POLICY_FILES, SPEC_FILES].map((each) => workspace.findFiles(each, EXCLUDED, MAX_FILES)),
    );
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
    const run = this.#controller.createTestRun(request);
    try {
      const wanted = request.include ?? [...this.#controller.items].map(([, item]) => item);
      const excluded = new Set(request.exclude);
      const chosen = await Promise.all(
        wanted.flatMap((item) => testsBelow(item, excluded)).map((each) => this.#prepare(each)),
      );
      for (const each of chosen) for (const machine of machinesOf(each)) run.enqueued(machine);
      for (const test of chosen) {
        if ((token ?? run.token).isCancellationRequested || run.token.isCancellationRequested) skip(run, test);
        else await this.#make(run, test, given);
      }
    } finally {
      run.end();
      this.#parts.states.forget();
    }
  }

  async #make(run: TestRun, test: TestToRun, given?: ConfiguredRepository) {
    const { client, repositories, repository, results } = this.#parts;
    const configured = given ?? (await repository.choose(test.file, test.name));
    if (configured === undefined) return skip(run, test);
    try {
      const live = new LiveTest(this.#controller, run, test);
      await unlocked(repositories, configured);
      const made = await repositories.use(configured, (opened) => live.make(client, opened, run.token));
      await results.keep(test.file.fsPath, test.name, made.machines);
    } catch (error) {
      if (isAbort(error)) return skip(run, test);
      run.appendOutput(`${errorText(error)}\r\n`, undefined, test.item);
      run.errored(test.item, obstacle(error, test.item));
      if (error instanceof ServiceError && error.code === "TOOL_MISSING")
        void window.showErrorMessage(errorText(error));
    }
  }

  async #prepare({ item, machine, check }: Wanted): Promise<TestToRun> {
    const place = placeOf(item);
    if (place?.test == null) throw new Error("an item of the Test Explorer is no restore test");
    const { file, test } = place;
    const text = (await workspace.openTextDocument(file)).getText();
    const folder = Uri.joinPath(this.#parts.storage, "restore-tests", folderName(test));
    return {
      item,
      file,
      text,
      name: test,
      machine,
      checks: check === null ? null : [check],
      reportFolder: folder.fsPath,
    };
  }
}

interface Wanted {
  /** Of a test. */
  item: TestItem;
  machine: string | null;
  check: string | null;
}

function skip(run: TestRun, test: TestToRun): void {
  for (const machine of machinesOf(test)) run.skipped(machine);
}

/** A test has no state of its own: it is that of its machines. */
function machinesOf({ item, machine }: TestToRun): TestItem[] {
  const all = [...item.children].map(([, child]) => child);
  return all.filter((child) => machine === null || placeOf(child)?.machine === machine);
}

/** A file is all of its tests; a machine or a check is its test, narrowed. */
function testsBelow(item: TestItem, excluded: ReadonlySet<TestItem>): Wanted[] {
  const place = placeOf(item);
  if (place === undefined || excluded.has(item)) return [];
  if (place.test === null) return [...item.children].flatMap(([, test]) => testsBelow(test, excluded));
  let test = item;
  while (test.parent !== undefined && placeOf(test)?.machine !== null) test = test.parent;
  return [{ item: test, machine: place.machine, check: place.check }];
}

/** Asks for the passphrase when there is none that fits. */
async function unlocked(repositories: OpenRepositories, configured: ConfiguredRepository): Promise<void> {
  try {
    await repositories.open(configured);
  } catch (error) {
    if (!(error instanceof ServiceError) || !LOCKED.includes(error.code)) throw error;
    await commands.executeCommand("reprise.unlockRepository", { kind: "repository", configured });
  }
}

async function askForTrust(): Promise<void> {
  const manage = l10n.t("Manage Trust");
  const message = l10n.t("Restore tests can start programs: they run in trusted workspaces only.");
  if ((await window.showWarningMessage(message, manage)) === manage)
    await commands.executeCommand("workbench.trust.manage");
}

function folderName(test: string): string {
  return test.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replace(/^\.+/, "") || "test";
}
