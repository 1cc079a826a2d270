// Runs of the Test Explorer: what was asked for, one restore test after the other in the service. A part of the checks is an answer for
// the moment: it is neither stored as a record nor kept as the test's last result.

import { createHash } from "node:crypto";
import {
  type CancellationToken,
  commands,
  l10n,
  type TestController,
  type TestItem,
  type TestRun,
  type TestRunRequest,
  Uri,
  window,
  workspace,
} from "vscode";
import { isAbort } from "../adapt/cancellation.js";
import { errorText } from "../adapt/errors.js";
import { type WantedRun, wantedRuns } from "../model/wantedTests.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import { isLocked, type OpenRepositories } from "../repositories/openRepositories.js";
import { type ServiceClient, ServiceError } from "../service/client.js";
import type { LastResults } from "./lastResults.js";
import { placeOf } from "./testItems.js";
import type { TestRepository } from "./testRepository.js";
import { LiveTest, obstacle, skipWithChecks, type TestToRun } from "./testRun.js";

export interface TestRunParts {
  client: ServiceClient;
  repositories: OpenRepositories;
  results: LastResults;
  repository: TestRepository;
  /** Folder for reports. */
  storage: Uri;
}

export class TestRuns {
  readonly #parts: TestRunParts;
  readonly #controller: TestController;
  /** Two runs at the same time write no report twice: one waits for the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(controller: TestController, parts: TestRunParts) {
    this.#controller = controller;
    this.#parts = parts;
  }

  /** `given`: the repository, when it is known; asked for once otherwise. */
  async run(request: TestRunRequest, token?: CancellationToken, given?: ConfiguredRepository): Promise<void> {
    const run = this.#controller.createTestRun(request);
    const include = request.include ?? [...this.#controller.items].map(([, item]) => item);
    const wanted = wantedRuns({ include, exclude: request.exclude ?? [] }, placeOf);
    for (const each of wanted) for (const item of shownItems(each)) run.enqueued(item);
    const before = this.#last;
    const isCancelled = () => run.token.isCancellationRequested || token?.isCancellationRequested === true;
    this.#last = before.then(() => this.#makeAll(run, wanted, isCancelled, given));
    await this.#last;
  }

  async #makeAll(
    run: TestRun,
    wanted: readonly WantedRun<TestItem>[],
    isCancelled: () => boolean,
    given: ConfiguredRepository | undefined,
  ): Promise<void> {
    const chosen = new Map<string, ConfiguredRepository>();
    try {
      for (const each of wanted) {
        if (isCancelled()) skip(run, each);
        else await this.#make(run, each, chosen, given);
      }
    } finally {
      run.end();
      const used = new Set(
        [...(given === undefined ? [] : [given]), ...chosen.values()].map(({ location }) => location),
      );
      for (const location of used) this.#parts.repositories.changedContents(location);
    }
  }

  /** Never throws: what goes wrong is the result of the test. */
  async #make(
    run: TestRun,
    wanted: WantedRun<TestItem>,
    chosen: Map<string, ConfiguredRepository>,
    given: ConfiguredRepository | undefined,
  ): Promise<void> {
    const { client, repositories, results } = this.#parts;
    let live: LiveTest | undefined;
    try {
      const test = await this.#prepare(wanted);
      const configured = given ?? (await this.#repositoryOf(test, chosen));
      if (configured === undefined) return skip(run, wanted);
      const running = new LiveTest(this.#controller, run, test);
      live = running;
      await unlocked(repositories, configured);
      const { name } = configured;
      const made = await repositories.use(configured, ({ handle }) =>
        running.make(client, { handle, name }, run.token),
      );
      if (wanted.checks === null) await results.keep(test.file.fsPath, test.name, made);
    } catch (error) {
      if (isAbort(error)) return live === undefined ? skip(run, wanted) : live.skipRest();
      run.appendOutput(`${errorText(error).replaceAll(/\r?\n/g, "\r\n")}\r\n`, undefined, wanted.test);
      for (const item of shownItems(wanted)) run.errored(item, obstacle(error, item));
      if (error instanceof ServiceError && error.code === "TOOL_MISSING")
        void window.showErrorMessage(errorText(error));
    }
  }

  /** Tests of one file have the same repository: the question is asked once in a run. */
  async #repositoryOf(
    { file, name }: TestToRun,
    chosen: Map<string, ConfiguredRepository>,
  ): Promise<ConfiguredRepository | undefined> {
    const key = file.toString();
    const repository = chosen.get(key) ?? (await this.#parts.repository.choose(file, name));
    if (repository !== undefined) chosen.set(key, repository);
    return repository;
  }

  async #prepare({ test: item, machine, checks }: WantedRun<TestItem>): Promise<TestToRun> {
    const place = placeOf(item);
    if (place?.test == null) throw new Error("an item of the Test Explorer is no restore test");
    const { file, test: name } = place;
    const text = (await workspace.openTextDocument(file)).getText();
    const folder = Uri.joinPath(this.#parts.storage, "restore-tests", folderName(file, name));
    return {
      ...{ item, file, text, name },
      machine: machine === null ? null : (placeOf(machine)?.machine ?? null),
      checks: checks?.map((check) => placeOf(check)?.check ?? "") ?? null,
      reportFolder: checks === null ? folder.fsPath : Uri.joinPath(folder, "part").fsPath,
    };
  }
}

function skip(run: TestRun, wanted: WantedRun<TestItem>): void {
  for (const item of shownItems(wanted)) skipWithChecks(run, item);
}

/** A test has no state of its own, it is that of its machines; and a part of a machine's checks says nothing about the machine. */
function shownItems({ test, machine, checks }: WantedRun<TestItem>): TestItem[] {
  if (checks !== null) return [...checks];
  return machine === null ? [...test.children].map(([, child]) => child) : [machine];
}

/** Asks for the passphrase when there is none that fits. */
async function unlocked(repositories: OpenRepositories, configured: ConfiguredRepository): Promise<void> {
  try {
    await repositories.open(configured);
  } catch (error) {
    if (!isLocked(error)) throw error;
    await commands.executeCommand("reprise.unlockRepository", { kind: "repository", configured });
  }
}

export async function askForTrust(): Promise<void> {
  const manage = l10n.t("Manage Trust");
  const message = l10n.t("Restore tests can start programs: they run in trusted workspaces only.");
  if ((await window.showWarningMessage(message, manage)) === manage)
    await commands.executeCommand("workbench.trust.manage");
}

/** Readable, and of this test of this file alone. */
function folderName(file: Uri, test: string): string {
  const readable = test.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replace(/^\.+/, "");
  const digest = createHash("sha256").update(`${file.toString()}\n${test}`).digest("hex");
  return `${readable.slice(0, 60)}-${digest.slice(0, 12)}`;
}
