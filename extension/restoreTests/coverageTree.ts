// The view "Restore tests": the machines of each repository by what is proven about them, those without any restore test first.

import {
  type Disposable,
  type Event,
  EventEmitter,
  env,
  l10n,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  workspace,
} from "vscode";
import { errorText } from "../adapt/errors.js";
import { byNeed, machineIcon, machineText, outcomeText } from "../model/machineWords.js";
import { plainMarkdown } from "../model/plainMarkdown.js";
import { dateAndTime } from "../model/words.js";
import { type MachineStates, type PolicyPlace, repositoryNameOf } from "../policy/machineStates.js";
import type { Policies } from "../policy/policies.js";
import { type ConfiguredRepository, configuredRepositories } from "../repositories/configured.js";
import { isLocked, type OpenRepositories } from "../repositories/openRepositories.js";
import type { MachineStateData } from "../service/policyProtocol.js";

export interface CoveredRepository {
  kind: "repository";
  configured: ConfiguredRepository;
}

export interface CoveredMachine {
  kind: "machine";
  configured: ConfiguredRepository;
  state: MachineStateData;
}

interface CoverageProblem {
  kind: "problem";
  configured: ConfiguredRepository;
  message: string;
  locked: boolean;
}

export type CoverageNode = CoveredRepository | CoveredMachine | CoverageProblem;

export class CoverageTree implements TreeDataProvider<CoverageNode>, Disposable {
  readonly #repositories: OpenRepositories;
  readonly #policies: Policies;
  readonly #states: MachineStates;
  readonly #changed = new EventEmitter<undefined>();
  readonly #listeners: Disposable[];
  readonly onDidChangeTreeData: Event<undefined> = this.#changed.event;

  constructor(repositories: OpenRepositories, policies: Policies, states: MachineStates) {
    this.#repositories = repositories;
    this.#policies = policies;
    this.#states = states;
    this.#listeners = [
      this.#changed,
      states.onDidChange(() => this.redraw()),
      workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("reprise.repositories")) this.redraw();
      }),
    ];
  }

  dispose(): void {
    for (const listener of this.#listeners) listener.dispose();
  }

  redraw(): void {
    this.#changed.fire(undefined);
  }

  getTreeItem(node: CoverageNode): TreeItem {
    if (node.kind === "repository") return repositoryItem(node);
    return node.kind === "machine" ? machineItem(node) : problemItem(node);
  }

  async getChildren(node?: CoverageNode): Promise<CoverageNode[]> {
    if (node?.kind === "repository") return await this.#machines(node.configured);
    if (node !== undefined) return [];
    const all = configuredRepositories();
    const [only] = all;
    if (all.length === 1 && only !== undefined) return await this.#machines(only);
    return all.map((configured) => ({ kind: "repository", configured }));
  }

  /** Machines of a repository, by how much they need a test. */
  async statesOf(configured: ConfiguredRepository): Promise<MachineStateData[]> {
    const policy = await this.#policyFor(configured);
    const states = await this.#repositories.use(configured, (opened) => this.#states.of(opened, policy));
    return states.toSorted(byNeed);
  }

  async #machines(configured: ConfiguredRepository): Promise<CoverageNode[]> {
    try {
      return (await this.statesOf(configured)).map((state) => ({ kind: "machine", configured, state }));
    } catch (error) {
      const locked = isLocked(error);
      const message = locked ? l10n.t("Enter the passphrase…") : errorText(error);
      return [{ kind: "problem", configured, message, locked }];
    }
  }

  async #policyFor({ location }: ConfiguredRepository): Promise<PolicyPlace | undefined> {
    return (await this.#policies.soundPolicies()).find(({ data }) => repositoryNameOf(data, location) !== undefined);
  }
}

function repositoryItem({ configured }: CoveredRepository): TreeItem {
  const item = new TreeItem(configured.name, TreeItemCollapsibleState.Collapsed);
  item.id = configured.location;
  item.iconPath = new ThemeIcon("database");
  item.contextValue = "repository";
  item.tooltip = configured.location;
  return item;
}

function machineItem({ state }: CoveredMachine): TreeItem {
  const item = new TreeItem(state.machine, TreeItemCollapsibleState.None);
  const { id, color } = machineIcon(state);
  const words = machineText(state, { nowMs: Date.now(), locale: env.language, t: l10n.t });
  item.iconPath = new ThemeIcon(id, color === undefined ? undefined : new ThemeColor(color));
  item.contextValue = state.lastTest === null ? "machine.untested" : "machine.tested";
  item.description = words;
  item.accessibilityInformation = { label: `${state.machine}, ${words}` };
  item.tooltip = new MarkdownString(plainMarkdown(tooltipLines(state)));
  return item;
}

function tooltipLines({ machine, newest, lastTest, outcome, reason }: MachineStateData): string[] {
  const lines = [machine];
  if (newest !== null) lines.push(l10n.t("Newest snapshot: {0}", dateAndTime(newest.timeMs, env.language)));
  if (lastTest === null) lines.push(l10n.t("Never restored in a test"));
  else
    lines.push(
      l10n.t(
        "Restored in a test on {0}: {1}",
        dateAndTime(lastTest.atMs, env.language),
        outcomeText(lastTest.outcome, l10n.t),
      ),
    );
  return outcome === "passed" ? lines : [...lines, reason];
}

function problemItem({ configured, message, locked }: CoverageProblem): TreeItem {
  const item = new TreeItem(message, TreeItemCollapsibleState.None);
  item.iconPath = new ThemeIcon(locked ? "key" : "error");
  item.tooltip = message;
  item.contextValue = "problem";
  if (locked)
    item.command = {
      command: "reprise.unlockRepository",
      title: l10n.t("Enter Passphrase…"),
      arguments: [{ kind: "repository", configured }],
    };
  return item;
}
