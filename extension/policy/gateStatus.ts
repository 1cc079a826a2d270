// The gates of the present changes in the status bar: whether what is committed here may go on, and on a click why or why not. Decided
// by the service, some time after a commit or a fetch, and again before an answer is old; only in trusted workspaces with a reprise.yml and git.

import {
  commands,
  type Disposable,
  type LogOutputChannel,
  l10n,
  StatusBarAlignment,
  type StatusBarItem,
  ThemeColor,
  window,
  workspace,
} from "vscode";
import { isAbort } from "../adapt/cancellation.js";
import { errorText, logText } from "../adapt/errors.js";
import { type GitApi, type GitRepository, openGitExtension } from "../adapt/gitExtension.js";
import { findBase, type GateBase } from "../model/gateBase.js";
import { countFiles, decisionOf, isShut, rankOf, worstDecision } from "../model/gateView.js";
import type { ServiceStops } from "../model/serviceStops.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import { type ServiceClient, ServiceError } from "../service/client.js";
import type { GateAnswerData } from "../service/policyProtocol.js";
import { findGatePlaces, type GatePlace } from "./gatePlaces.js";
import { appearance, type GateResult, showGates, tooltipText } from "./gateShown.js";
import type { Policies } from "./policies.js";

/** Git tells of many changes at once. */
const PAUSE_MS = 1500;
/** Backups grow old also while nothing is done: an answer is not shown for longer. */
const FRESH_MS = 10 * 60_000;

export interface GateParts {
  client: ServiceClient;
  repositories: OpenRepositories;
  policies: Policies;
  stops: ServiceStops;
  log: LogOutputChannel;
}

interface Known extends GateResult {
  /** Facts, policy, base and head that it is about, as they were when it was asked for. */
  of: string;
}

export class GateStatus implements Disposable {
  readonly #parts: GateParts;
  readonly #listeners: Disposable[] = [];
  readonly #gits = new Map<GitRepository, Disposable>();
  #api: GitApi | undefined;
  #item: StatusBarItem | undefined;
  #places: readonly GatePlace[] = [];
  /** By place. */
  #known = new Map<string, Known>();
  #running: AbortController | undefined;
  #isAskedAgain = false;
  #pause: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;
  /** How often they have changed: what was asked for before is no answer after. */
  #facts = 0;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  dispose(): void {
    clearTimeout(this.#pause);
    clearInterval(this.#timer);
    this.#running?.abort();
    for (const listener of [...this.#listeners, ...this.#gits.values()]) listener.dispose();
    this.#item?.dispose();
  }

  /** Looks for a policy and for git; without either, there is no item. */
  async start(): Promise<void> {
    if (!workspace.isTrusted || this.#api !== undefined) return;
    const [policy] = await this.#parts.policies.uris("policy");
    const api = policy === undefined ? undefined : await openGitExtension();
    if (api === undefined || this.#api !== undefined) return;
    this.#api = api;
    const look = () => void this.#look();
    this.#listeners.push(
      api.onDidOpenRepository(look),
      api.onDidCloseRepository(look),
      this.#parts.policies.onDidChange(look),
      workspace.onDidChangeConfiguration((change) => change.affectsConfiguration("reprise.gate") && this.#later()),
    );
    this.#timer = setInterval(() => this.#later(), FRESH_MS);
    await this.#look();
  }

  /** What the decision is made of has changed, though no commit has. */
  factsChanged(): void {
    this.#facts++;
    if (this.#places.length > 0) this.#later();
  }

  /** On demand; says when there is nothing to decide. */
  async check(): Promise<void> {
    if (!workspace.isTrusted) return;
    await this.start();
    await this.#look();
    await this.#decide(true);
    if (this.#results().length > 0) return await this.showReasons();
    void window.showInformationMessage(l10n.t("There is no reprise.yml with a gate in a git repository here."));
  }

  /** What the gates say about each machine; picking one shows its rule. */
  async showReasons(): Promise<void> {
    const results = this.#results();
    if (results.length === 0 || (await showGates(results))) await this.check();
  }

  async #look(): Promise<void> {
    const api = this.#api;
    if (api === undefined) return;
    const look = ++this.#looks;
    const places = await findGatePlaces(api, this.#parts.policies);
    if (look !== this.#looks) return;
    this.#places = places;
    const keys = new Set(places.map(keyOf));
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
    this.#listenTo(new Set(places.map(({ git }) => git)));
    this.#later();
  }

  #listenTo(wanted: ReadonlySet<GitRepository>): void {
    for (const [git, listener] of this.#gits) {
      if (wanted.has(git)) continue;
      listener.dispose();
      this.#gits.delete(git);
    }
    for (const git of wanted)
      if (!this.#gits.has(git))
        this.#gits.set(
          git,
          git.state.onDidChange(() => this.#later()),
        );
  }

  #later(): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => void this.#decide(false), PAUSE_MS);
  }

  /** One at a time: git tells of changes more often than a storage far away answers. Somebody who asks does not wait for an older one. */
  async #decide(anew: boolean): Promise<void> {
    if (this.#running !== undefined && !anew) {
      this.#isAskedAgain = true;
      return;
    }
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    for (const place of this.#places) {
      await this.#decideAt(place, anew, running.signal);
      if (running.signal.aborted) return;
    }
    this.#running = undefined;
    this.#draw();
    if (this.#isAskedAgain) this.#later();
    this.#isAskedAgain = false;
  }

  async #decideAt(place: GatePlace, anew: boolean, signal: AbortSignal): Promise<void> {
    const base = await findBase(place.git, baseSetting(place)).catch(() => undefined);
    if (signal.aborted) return;
    const of = `${this.#facts} ${base?.name} ${base?.hash} ${place.git.state.HEAD?.commit} ${place.gates.join()}`;
    const known = this.#known.get(keyOf(place));
    if (!anew && known?.of === of && Date.now() - known.atMs < FRESH_MS) return;
    const { stops } = this.#parts;
    // what somebody asks for is tried all the same
    const isResting = !anew && stops.isResting(Date.now());
    if (!isResting && place.gates.length > 0) this.#drawBusy();
    const answers = isResting ? restingAnswers(place) : await this.#ask(place, base, signal);
    // its policy may be gone by now, or its git closed
    const isStillThere = this.#places.some((each) => keyOf(each) === keyOf(place));
    if (!signal.aborted && isStillThere) this.#known.set(keyOf(place), { place, base, answers, atMs: Date.now(), of });
  }

  async #ask(place: GatePlace, base: GateBase | undefined, signal: AbortSignal): Promise<readonly GateAnswerData[]> {
    if (base === undefined) return unknownGates(place, "CHANGES_UNKNOWN", noBaseText(place));
    const { client, repositories, log } = this.#parts;
    try {
      const secrets = await repositories.keptSecrets();
      const folder = place.git.rootUri.fsPath;
      const argument = { folder, configPath: place.configPath, gate: null, base: base.hash, secrets };
      const answers = await client.call("gate", argument, { signal });
      const missing = place.gates.filter((gate) => !answers.some((each) => each.gate === gate));
      const notYet = l10n.t("the policy of {0} does not have it", base.name);
      return [...answers, ...unknownGates({ gates: missing }, "GATE_UNKNOWN", notYet)];
    } catch (error) {
      if (isAbort(error)) return [];
      if (place.gates.length > 0) log.warn(logText(error));
      const code = error instanceof ServiceError ? error.code : "UNEXPECTED";
      return unknownGates(place, code, error instanceof ServiceError ? error.message : errorText(error));
    }
  }

  /** Those that have a gate, the worst first. */
  #results(): Known[] {
    const found = [...this.#known.values()].filter(({ answers }) => answers.length > 0);
    const rank = ({ answers }: Known) => rankOf(answers.map(decisionOf));
    return found.sort((a, b) => rank(a) - rank(b));
  }

  #drawBusy(): void {
    const item = this.#shownItem();
    item.text = `$(sync~spin) ${l10n.t("Gate")}`;
    item.tooltip = l10n.t("Asking the gate about the present changes…");
  }

  #draw(): void {
    const results = this.#results();
    const worst = worstDecision(results.flatMap(({ answers }) => answers.map(decisionOf)));
    void commands.executeCommand("setContext", "reprise.hasGate", worst !== undefined);
    if (worst === undefined) {
      this.#item?.hide();
      return;
    }
    const item = this.#shownItem();
    const [icon, words] = appearance(worst);
    item.text = `${icon} ${words}`;
    item.accessibilityInformation = { label: l10n.t("Gate of the present changes: {0}", words), role: "button" };
    item.backgroundColor = isShut(worst) ? new ThemeColor("statusBarItem.warningBackground") : undefined;
    item.tooltip = tooltipText(results, changedFiles(results));
  }

  #shownItem(): StatusBarItem {
    if (this.#item === undefined) {
      this.#item = window.createStatusBarItem("reprise.gate", StatusBarAlignment.Left);
      this.#item.name = l10n.t("Reprise gate");
      this.#item.command = "reprise.showGate";
    }
    this.#item.show();
    return this.#item;
  }
}

function keyOf({ policy, git }: GatePlace): string {
  return `${git.rootUri} ${policy}`;
}

function baseSetting({ policy }: GatePlace): string {
  const setting = workspace.getConfiguration("reprise.gate", policy).get<unknown>("base");
  return typeof setting === "string" ? setting.trim() : "";
}

function noBaseText(place: GatePlace): string {
  const setting = baseSetting(place);
  return setting === ""
    ? l10n.t("there is no branch that the changes could be compared with; the setting reprise.gate.base names one")
    : l10n.t("git does not know {0}, which the setting reprise.gate.base names", setting);
}

/** Each gate that the file has is shut; a file without one says nothing. */
function unknownGates({ gates }: Pick<GatePlace, "gates">, code: string, message: string): GateAnswerData[] {
  return gates.map((gate) => ({ gate, data: null, problem: { code, message } }));
}

function restingAnswers(place: GatePlace): GateAnswerData[] {
  return unknownGates(place, "SERVICE_STOPPED", l10n.t("the background service stopped twice within a minute"));
}

function changedFiles(results: readonly GateResult[]): number {
  const gits = new Set(results.map(({ place }) => place.git));
  const lists = [...gits].flatMap(({ state }) => [
    ...[state.workingTreeChanges, state.indexChanges, state.mergeChanges, state.untrackedChanges ?? []],
  ]);
  return countFiles(lists);
}
