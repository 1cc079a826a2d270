// The gate of the present changes in the status bar: whether what is committed here may go on, and on a click why or why not. Decided
// by the service, some time after a commit or a fetch; only in trusted workspaces with a reprise.yml and git.

import {
  commands,
  type Disposable,
  type LogOutputChannel,
  l10n,
  QuickPickItemKind,
  Range,
  StatusBarAlignment,
  type StatusBarItem,
  ThemeColor,
  type Uri,
  window,
  workspace,
} from "vscode";
import { isAbort } from "../adapt/cancellation.js";
import { errorText } from "../adapt/errors.js";
import { type GitApi, type GitRepository, likelyBases, openGitExtension } from "../adapt/gitExtension.js";
import { withoutIcons, withoutLinks } from "../model/harmlessText.js";
import { POLICY_FILES } from "../model/policyNames.js";
import { type ServiceClient, ServiceError } from "../service/client.js";
import type { GateData, GateMachineData } from "../service/policyProtocol.js";
import { EXCLUDED, type Policies } from "./policies.js";

/** Git tells of many changes at once. */
const PAUSE_MS = 1500;
/** A decision about the same commits is taken again after this long only, or on demand. */
const FRESH_MS = 10 * 60_000;

interface Asked {
  git: GitRepository;
  /** Of the policy, below the git repository. */
  configPath: string;
  policy: Uri;
}

export class GateStatus implements Disposable {
  readonly #client: ServiceClient;
  readonly #policies: Policies;
  readonly #log: LogOutputChannel;
  readonly #listeners: Disposable[] = [];
  #isStarted = false;
  #item: StatusBarItem | undefined;
  #asked: Asked | undefined;
  #last: { of: string; atMs: number; data: GateData | undefined; problem: string | undefined } | undefined;
  #running: AbortController | undefined;
  #pause: NodeJS.Timeout | undefined;

  constructor(client: ServiceClient, policies: Policies, log: LogOutputChannel) {
    this.#client = client;
    this.#policies = policies;
    this.#log = log;
  }

  dispose(): void {
    clearTimeout(this.#pause);
    this.#running?.abort();
    for (const listener of this.#listeners) listener.dispose();
    this.#item?.dispose();
  }

  /** Looks for a policy with a gate and for git; without either, there is no item. */
  async start(): Promise<void> {
    if (!workspace.isTrusted || this.#isStarted) return;
    const [policy] = await workspace.findFiles(POLICY_FILES, EXCLUDED, 1);
    const api = policy === undefined ? undefined : await openGitExtension();
    if (api === undefined || this.#isStarted) return;
    this.#isStarted = true;
    this.#listeners.push(
      api.onDidOpenRepository(() => void this.#look(api)),
      this.#policies.onDidChange(() => void this.#look(api)),
    );
    await this.#look(api);
  }

  /** What the decision is made of has changed, though no commit has. */
  factsChanged(): void {
    if (this.#asked === undefined) return;
    this.#last = undefined;
    this.#later();
  }

  /** On demand; says when there is nothing to decide. */
  async check(): Promise<void> {
    if (!workspace.isTrusted) return;
    await this.start();
    if (this.#asked === undefined) {
      void window.showInformationMessage(l10n.t("There is no reprise.yml with a gate in a git repository here."));
      return;
    }
    await this.#decide(true);
    await this.showReasons();
  }

  /** What the gate says about each machine; picking one shows its rule. */
  async showReasons(): Promise<void> {
    const { data, problem } = this.#last ?? {};
    if (this.#asked === undefined || (data === undefined && problem === undefined)) return await this.check();
    if (data === undefined) {
      const again = l10n.t("Check Again");
      const message = l10n.t("The gate cannot decide, so it is shut: {0}", withoutLinks(problem ?? ""));
      if ((await window.showWarningMessage(message, again)) === again) await this.#decide(true);
      return;
    }
    const checkAgain = { label: `$(refresh) ${l10n.t("Check Again")}`, machine: undefined };
    const items = [...data.machines.map(machineItem), { label: "", kind: QuickPickItemKind.Separator }, checkAgain];
    const title = `${data.gate}: ${data.verdict}`;
    const picked = await window.showQuickPick(items, { title, matchOnDetail: true, matchOnDescription: true });
    if (picked === checkAgain) return await this.check();
    if (picked !== undefined && "machine" in picked && picked.machine !== undefined) {
      const at = new Range(picked.machine.line - 1, 0, picked.machine.line - 1, 0);
      await window.showTextDocument(this.#asked.policy, { selection: at });
    }
  }

  async #look(api: GitApi): Promise<void> {
    const found = await this.#find(api);
    void commands.executeCommand("setContext", "reprise.hasGate", found !== undefined);
    if (found === undefined) {
      this.#asked = undefined;
      this.#item?.hide();
      return;
    }
    if (this.#asked?.git !== found.git) this.#listeners.push(found.git.state.onDidChange(() => this.#later()));
    this.#asked = found;
    this.#item ??= this.#makeItem();
    this.#item.show();
    this.#later();
  }

  async #find({ repositories }: GitApi): Promise<Asked | undefined> {
    const policies = await this.#policies.soundPolicies();
    for (const { uri, data } of policies) {
      if (data.gates.length === 0) continue;
      const git = repositories
        .filter(({ rootUri }) => uri.path.startsWith(`${rootUri.path}/`))
        .sort((a, b) => b.rootUri.path.length - a.rootUri.path.length)[0];
      if (git !== undefined) return { git, configPath: uri.path.slice(git.rootUri.path.length + 1), policy: uri };
    }
    return undefined;
  }

  #makeItem(): StatusBarItem {
    const item = window.createStatusBarItem("reprise.gate", StatusBarAlignment.Left);
    item.name = l10n.t("Reprise gate");
    item.command = "reprise.showGate";
    return item;
  }

  #later(): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => void this.#decide(false), PAUSE_MS);
  }

  async #decide(anew: boolean): Promise<void> {
    const asked = this.#asked;
    if (asked === undefined) return;
    const base = await baseOf(asked.git);
    const of = `${asked.policy} ${base?.hash} ${asked.git.state.HEAD?.commit}`;
    if (!anew && this.#last?.of === of && Date.now() - this.#last.atMs < FRESH_MS) return this.#draw();
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#drawBusy();
    const { data, problem } = await this.#ask(asked, base?.name, running.signal);
    if (running.signal.aborted) return;
    this.#last = { of, atMs: Date.now(), data, problem };
    this.#draw();
  }

  async #ask({ git, configPath }: Asked, base: string | undefined, signal: AbortSignal) {
    if (base === undefined)
      return { data: undefined, problem: l10n.t("there is no branch that the changes could be compared with") };
    try {
      const folder = git.rootUri.fsPath;
      const data = await this.#client.call("gate", { folder, configPath, gate: null, base }, { signal });
      return { data, problem: undefined };
    } catch (error) {
      if (!isAbort(error)) this.#log.warn(errorText(error));
      return { data: undefined, problem: error instanceof ServiceError ? error.message : errorText(error) };
    }
  }

  #drawBusy(): void {
    if (this.#item === undefined) return;
    this.#item.text = `$(sync~spin) ${l10n.t("Gate")}`;
    this.#item.tooltip = l10n.t("Asking the gate about the present changes…");
  }

  #draw(): void {
    const item = this.#item;
    const { data, problem } = this.#last ?? {};
    if (item === undefined) return;
    const [icon, word, isShut] = appearance(data);
    item.text = `${icon} ${word}`;
    item.accessibilityInformation = { label: l10n.t("Gate of the present changes: {0}", word), role: "button" };
    item.backgroundColor = isShut ? new ThemeColor("statusBarItem.warningBackground") : undefined;
    const uncommitted = this.#asked === undefined ? 0 : changesOf(this.#asked.git);
    const notCounted =
      uncommitted === 0 ? [] : [l10n.t("{0} changed files are not committed and do not count.", uncommitted)];
    item.tooltip = [data === undefined ? (problem ?? "") : `${data.gate}: ${data.verdict}`, ...notCounted].join("\n");
  }
}

/** Icon, word, and whether it is shut. */
function appearance(data: GateData | undefined): [string, string, boolean] {
  switch (data?.decision) {
    case "go":
      return ["$(pass)", l10n.t("Gate: go"), false];
    case "not-needed":
      return ["$(circle-slash)", l10n.t("Gate: not needed"), false];
    case "overridden":
      return ["$(warning)", l10n.t("Gate: overridden"), false];
    case "blocked":
      return ["$(error)", l10n.t("Gate: blocked"), true];
    default:
      return ["$(question)", l10n.t("Gate: unknown"), false];
  }
}

function machineItem(machine: GateMachineData) {
  const { decision, reasons, files, filesTotal } = machine;
  const more = filesTotal > files.length ? ` … (${filesTotal})` : "";
  return {
    label: `${decision === "go" ? "$(pass)" : "$(error)"} ${withoutIcons(machine.machine)}`,
    description: withoutIcons(files.join(", ") + more),
    detail: withoutIcons(reasons.map(({ message }) => message).join(" · ")),
    machine,
  };
}

function changesOf({ state }: GitRepository): number {
  return state.workingTreeChanges.length + state.indexChanges.length;
}

/** The first that git knows; undefined: none. */
async function baseOf(git: GitRepository): Promise<{ name: string; hash: string } | undefined> {
  for (const name of likelyBases(git)) {
    const commit = await git.getCommit(name).catch(() => undefined);
    if (commit !== undefined) return { name, hash: commit.hash };
  }
  return undefined;
}
