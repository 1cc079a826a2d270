// The worker's end of the service: finds the method of a call, cancels it, and turns what it throws into data. A call that fails
// harms no other.

import { inertLine, RepriseError } from "../../core/index.js";
import { actionMethods } from "./actionMethods.js";
import { listMachines, listSnapshots, readCatalog, snapshotBefore } from "./catalogLists.js";
import { compareSnapshots, findCounterpart, listChanges } from "./compareAnswers.js";
import { exportArchiveTo, exportEvidenceTo } from "./exportAnswers.js";
import { answerGate } from "./gateAnswers.js";
import { readHistory } from "./historyAnswers.js";
import { keepPreview, machineStates } from "./machineAnswers.js";
import { OpenRepositories } from "./openRepositories.js";
import { readOverview } from "./overviewAnswer.js";
import { plainError } from "./plainError.js";
import { readPolicy, readSpecs } from "./policyAnswers.js";
import type { AnswerOf, ArgumentOf, FromService, Method, ToService } from "./protocol.js";
import { readRange, readWholeFile } from "./readAnswers.js";
import { removeLeftovers, restoreDisksTo, restoreFilesTo } from "./restoreAnswers.js";
import { RunningServers } from "./runningServers.js";
import { findByName, searchText } from "./searchAnswers.js";
import type { CallContext } from "./session.js";
import { runTest } from "./testAnswers.js";
import { listEntries, listNames, statEntry } from "./treeAnswers.js";

type Methods = { [M in Method]: (argument: ArgumentOf<M>, context: CallContext) => Promise<AnswerOf<M>> };

export type PostMessage = (message: FromService, transfer?: ArrayBuffer[]) => void;

/** Progress is sent this often at most. */
const PROGRESS_MS = 100;

export class ServiceServer {
  readonly #post: PostMessage;
  readonly #repositories = new OpenRepositories();
  readonly #servers = new RunningServers();
  readonly #running = new Map<number, { abort: AbortController; end: Promise<void> }>();
  readonly #methods: Methods;

  constructor(post: PostMessage) {
    this.#post = post;
    this.#methods = methodsOf(this.#repositories, this.#servers);
  }

  receive(message: ToService): void {
    if (message.kind === "cancel") this.#running.get(message.call)?.abort.abort();
    else if (message.kind === "close") void this.#close();
    else this.#begin(message.call, message.method, message.argument);
  }

  /** What runs is cancelled first, so that it leaves nothing; the client waits for a while only. */
  async #close(): Promise<void> {
    const running = [...this.#running.values()];
    for (const { abort } of running) abort.abort();
    await Promise.all(running.map(({ end }) => end));
    await this.#servers.stopAll();
    await this.#repositories.closeAll().catch(() => {});
    this.#post({ kind: "closed" });
  }

  #begin(call: number, method: Method, argument: unknown): void {
    const abort = new AbortController();
    const end = this.#run(call, method, argument, abort.signal).finally(() => this.#running.delete(call));
    this.#running.set(call, { abort, end });
  }

  /** Never rejects. */
  async #run(call: number, method: Method, argument: unknown, signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.#answer(method, argument, this.#contextOf(call, signal));
      this.#post({ kind: "answer", call, answer }, buffersOf(answer));
    } catch (error) {
      this.#post({ kind: "failure", call, error: plainError(error) });
    }
  }

  #answer(method: Method, argument: unknown, context: CallContext): Promise<unknown> {
    if (!Object.hasOwn(this.#methods, method))
      throw new RepriseError("invariant", "SERVICE_METHOD_UNKNOWN", `the service has no method ${String(method)}`);
    const run = this.#methods[method] as (argument: unknown, context: CallContext) => Promise<unknown>;
    return run(argument, context);
  }

  #contextOf(call: number, signal: AbortSignal): CallContext {
    let sentAtMs = 0;
    return {
      signal,
      onProgress: (event) => {
        const nowMs = Date.now();
        if (nowMs - sentAtMs < PROGRESS_MS) return;
        sentAtMs = nowMs;
        this.#post({ kind: "progress", call, event });
      },
      onEvent: (event) => this.#post({ kind: "event", call, event }),
      onWarning: ({ code, message }) =>
        this.#post({ kind: "warning", call, warning: { code, message: inertLine(message) } }),
    };
  }
}

function methodsOf(repositories: OpenRepositories, servers: RunningServers): Methods {
  return {
    openRepository: (argument, context) => repositories.open(argument, context),
    ...actionMethods(repositories, servers),
    closeRepository: async ({ repository }) => {
      await servers.stopOf(repository);
      await repositories.close(repository);
      return null;
    },
    catalog: ({ repository, refresh }, context) => readCatalog(repositories.get(repository), context, refresh),
    machines: (argument, context) => listMachines(repositories.get(argument.repository), argument, context),
    snapshots: (argument, context) => listSnapshots(repositories.get(argument.repository), argument, context),
    snapshot: ({ repository, snapshot }, context) => repositories.get(repository).snapshotData(snapshot, context),
    snapshotBefore: ({ repository, snapshot }, context) =>
      snapshotBefore(repositories.get(repository), snapshot, context),
    list: (argument, context) => listEntries(repositories.get(argument.repository), argument, context),
    names: (argument, context) => listNames(repositories.get(argument.repository), argument, context),
    stat: (argument, context) => statEntry(repositories.get(argument.repository), argument, context),
    readRange: (argument, context) => readRange(repositories.get(argument.repository), argument, context),
    readFile: (argument, context) => readWholeFile(repositories.get(argument.repository), argument, context),
    overview: ({ repository }, context) => readOverview(repositories.get(repository), context),
    readPolicy: (argument, context) => readPolicy(argument, context),
    readSpecs: (argument) => readSpecs(argument),
    machineStates: (argument, context) => machineStates(repositories.get(argument.repository), argument, context),
    keepPreview: (argument, context) => keepPreview(repositories.get(argument.repository), argument, context),
    runTest: (argument, context) => runTest(repositories.get(argument.repository), argument, context),
    gate: (argument, context) => answerGate(argument, context),
    history: (argument, context) => readHistory(repositories.get(argument.repository), argument, context),
    findFiles: (argument, context) => findByName(repositories.get(argument.repository), argument, context),
    searchText: (argument, context) => searchText(repositories.get(argument.repository), argument, context),
    compare: (argument, context) => compareSnapshots(repositories.get(argument.repository), argument, context),
    changes: (argument, context) => listChanges(repositories.get(argument.repository), argument, context),
    counterpart: (argument, context) => findCounterpart(repositories.get(argument.repository), argument, context),
    restoreFiles: (argument, context) => restoreFilesTo(repositories.get(argument.repository), argument, context),
    restoreDisks: (argument, context) => restoreDisksTo(repositories.get(argument.repository), argument, context),
    removeUnfinished: (argument) => removeLeftovers(argument),
    exportEvidence: (argument, context) => exportEvidenceTo(repositories.get(argument.repository), argument, context),
    exportArchive: (argument, context) => exportArchiveTo(repositories.get(argument.repository), argument, context),
  };
}

/** Large answers move and are not copied. */
function buffersOf(answer: unknown): ArrayBuffer[] {
  const bytes = answer instanceof Uint8Array ? answer : (answer as { bytes?: unknown } | null)?.bytes;
  return bytes instanceof Uint8Array && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
}
