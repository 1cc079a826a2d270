// The File versions view: every version of one file over the snapshots of its machine. It follows what is selected or open, and
// looks only while it is seen; a new file ends the search for the last one.

import {
  commands,
  type Event,
  EventEmitter,
  env,
  l10n,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
  window,
} from "vscode";
import { isAbort } from "../adapt/cancellation.js";
import { errorText } from "../adapt/errors.js";
import { spanText, type VersionRow, versionRows, versionWords } from "../model/fileVersions.js";
import { lastName, shortened } from "../model/shownName.js";
import { dateAndTime } from "../model/words.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import type { HistoryData, SnapshotData } from "../service/protocol.js";
import { type ChosenPlace, placeUri } from "./places.js";

export interface VersionNode {
  kind: "version";
  row: VersionRow;
  /** In the last snapshot that has it; of what is not there, where it would be. */
  place: ChosenPlace;
}

/** Whose versions are shown. */
export interface VersionSubject {
  configured: ConfiguredRepository;
  machine: string;
  path: string;
}

const VIEW = "reprise.versions";
/** More snapshots than these are looked through only when that is asked for. */
const MAX_UNASKED = 300;

export class VersionsTree implements TreeDataProvider<VersionNode> {
  readonly #client: ServiceClient;
  readonly #repositories: OpenRepositories;
  readonly #changed = new EventEmitter<undefined>();
  readonly onDidChangeTreeData: Event<undefined> = this.#changed.event;
  #view: TreeView<VersionNode> | undefined;
  #subject: VersionSubject | undefined;
  #found: Promise<VersionNode[]> | undefined;
  #isAsked = false;
  #search = new AbortController();

  constructor(client: ServiceClient, repositories: OpenRepositories) {
    this.#client = client;
    this.#repositories = repositories;
  }

  attach(view: TreeView<VersionNode>): void {
    this.#view = view;
    view.message = l10n.t("Select a file in a backup to see its versions.");
  }

  dispose(): void {
    this.#search.abort();
    this.#changed.dispose();
  }

  get subject(): VersionSubject | undefined {
    return this.#subject;
  }

  /** Because it is selected or open; may leave a search that would take long to be asked for. */
  show(subject: VersionSubject): void {
    const known = this.#subject;
    const isSame =
      known?.configured.location === subject.configured.location &&
      known?.machine === subject.machine &&
      known?.path === subject.path;
    if (!isSame || this.#found === undefined) this.#begin(subject, false);
  }

  /** Because somebody asked for it. */
  refresh(subject = this.#subject): void {
    this.#begin(subject, true);
  }

  #begin(subject: VersionSubject | undefined, isAsked: boolean): void {
    this.#search.abort();
    this.#search = new AbortController();
    this.#subject = subject;
    this.#isAsked = isAsked;
    this.#found = undefined;
    if (this.#view !== undefined) {
      this.#view.description = subject === undefined ? "" : shortened(lastName(subject.path), 60);
      this.#view.message = subject === undefined ? l10n.t("Select a file in a backup to see its versions.") : undefined;
    }
    this.#changed.fire(undefined);
  }

  getTreeItem(node: VersionNode): TreeItem {
    return versionItem(node);
  }

  getParent(): undefined {
    return undefined;
  }

  async getChildren(node?: VersionNode): Promise<VersionNode[]> {
    const subject = this.#subject;
    if (node !== undefined || subject === undefined) return [];
    const { signal } = this.#search;
    this.#found ??= this.#look(subject, signal);
    try {
      return await this.#found;
    } catch (error) {
      if (!isAbort(error) && this.#subject === subject) this.#say(errorText(error));
      return [];
    }
  }

  async reveal(): Promise<void> {
    await commands.executeCommand(`${VIEW}.focus`);
  }

  /** The whole history, for commands that need the version before. */
  async history(subject: VersionSubject, options: Parameters<ServiceClient["call"]>[2] = {}): Promise<HistoryData> {
    const { machine, path } = subject;
    return await this.#repositories.use(subject.configured, ({ handle }) =>
      this.#client.call("history", { repository: handle, machine, path }, options),
    );
  }

  async #look(subject: VersionSubject, signal: AbortSignal): Promise<VersionNode[]> {
    const { repositoryId } = await this.#repositories.open(subject.configured);
    const total = this.#isAsked ? 0 : await this.#snapshotsOf(subject);
    if (total > MAX_UNASKED) {
      this.#say(l10n.t("{0} snapshots: use Show All Versions of File to look into all of them.", total));
      return [];
    }
    const searching = this.history(subject, {
      signal,
      onProgress: ({ done, total }) => {
        if (!signal.aborted) this.#say(l10n.t("Looked into {0} of {1} snapshots…", done, total ?? 0));
      },
    });
    const history = await window.withProgress({ location: { viewId: VIEW } }, () => searching);
    if (signal.aborted) return [];
    const nodes = versionNodes(history, subject, repositoryId);
    this.#say(
      nodes.some(({ row }) => row.version !== null) ? "" : l10n.t("No snapshot of {0} has it.", subject.machine),
    );
    return nodes;
  }

  async #snapshotsOf({ configured, machine }: VersionSubject): Promise<number> {
    const { total } = await this.#repositories.use(configured, ({ handle }) =>
      this.#client.call("snapshots", { repository: handle, machine, offset: 0, limit: 1 }),
    );
    return total;
  }

  #say(message: string): void {
    if (this.#view !== undefined) this.#view.message = message === "" ? undefined : message;
  }
}

export function versionNodes(history: HistoryData, subject: VersionSubject, repositoryId: string): VersionNode[] {
  return versionRows(history).map((row): VersionNode => {
    const { configured, machine } = subject;
    const snapshot = row.period.last.snapshotId;
    const place = { configured, repositoryId, machine, snapshot, path: row.version?.path ?? subject.path };
    return { kind: "version", row, place };
  });
}

function versionItem({ row, place }: VersionNode): TreeItem {
  const { version, period, isCurrent } = row;
  const item = new TreeItem(spanText(period, Date.now(), env.language), TreeItemCollapsibleState.None);
  item.description = versionWords(row, env.language, l10n.t);
  item.contextValue = contextOf(row);
  item.iconPath =
    version === null
      ? period.problem === null
        ? new ThemeIcon("circle-slash")
        : new ThemeIcon("error", new ThemeColor("list.errorForeground"))
      : new ThemeIcon(isCurrent ? "git-commit" : "history");
  item.tooltip = versionTooltip(row);
  item.accessibilityInformation = { label: `${item.label}, ${item.description}` };
  if (version?.kind === "file")
    item.command = { command: "vscode.open", title: l10n.t("Open"), arguments: [placeUri(place)] };
  return item;
}

/** `version.file.first`: a plain file without an earlier version. */
function contextOf({ version, previous }: VersionRow): string {
  if (version === null) return "absent";
  return ["version", version.kind === "file" ? "file" : "other", ...(previous === null ? ["first"] : [])].join(".");
}

function versionTooltip({ version, period }: VersionRow): string {
  const { first, last } = period;
  const placed = ({ snapshotId, timeMs }: SnapshotData) =>
    `${snapshotId.slice(0, 8)} (${dateAndTime(timeMs, env.language)})`;
  const lines = [l10n.t("First in snapshot {0}", placed(first)), l10n.t("Last in snapshot {0}", placed(last))];
  if (version === null) return [...(period.problem === null ? [] : [period.problem]), ...lines].join("\n");
  lines.unshift(version.path);
  if (version.modifiedAtMs !== null) lines.push(l10n.t("Changed {0}", dateAndTime(version.modifiedAtMs, env.language)));
  if (version.sha256 !== null) lines.push(`SHA-256 ${version.sha256}`);
  return lines.join("\n");
}
