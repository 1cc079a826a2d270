// How a row of the Repositories view looks: label, icon, badges in words, tooltip, and what it is for menus (`viewItem`).

import { env, l10n, MarkdownString, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState, Uri } from "vscode";
import { outcomeText } from "../model/machineWords.js";
import { toUriParts } from "../model/repriseUri.js";
import { isDamaged, stateIcon, stateWords } from "../model/snapshotState.js";
import { ageText, dateAndTime, dayTitle, sizeText, timeOfDay } from "../model/words.js";
import type { EntryData, SnapshotData } from "../service/protocol.js";
import type {
  DayNode,
  EntryNode,
  FilteredNode,
  MachineNode,
  Node,
  ProblemNode,
  ReadingNode,
  RepositoryNode,
  SnapshotNode,
} from "./nodes.js";

const { None, Collapsed, Expanded } = TreeItemCollapsibleState;

export interface RepositoryState {
  state: "closed" | "open" | "locked";
  encrypted: boolean;
}

export function treeItem(node: Node, repositoryState: (node: RepositoryNode) => RepositoryState): TreeItem {
  switch (node.kind) {
    case "repository":
      return repositoryItem(node, repositoryState(node));
    case "namespace":
      return plainItem(node.namespace, "symbol-namespace", "namespace", node.isCollapsed ? Collapsed : Expanded);
    case "machine":
      return machineItem(node);
    case "day":
      return dayItem(node);
    case "snapshot":
      return snapshotItem(node);
    case "entry":
      return entryItem(node);
    case "more":
      return moreItem(node);
    case "reading":
      return readingItem(node);
    case "filtered":
      return filteredItem(node);
    case "problem":
      return problemItem(node);
  }
}

function plainItem(label: string, icon: string, viewItem: string, state: TreeItemCollapsibleState): TreeItem {
  const item = new TreeItem(label, state);
  item.iconPath = new ThemeIcon(icon);
  item.contextValue = viewItem;
  return item;
}

function repositoryItem({ configured, isNew }: RepositoryNode, { state, encrypted }: RepositoryState): TreeItem {
  const icon = state === "locked" ? "lock" : "archive";
  const item = plainItem(configured.name, icon, `repository.${state}`, isNew ? Expanded : Collapsed);
  item.description = [state === "locked" ? l10n.t("locked") : "", encrypted ? l10n.t("encrypted") : ""]
    .filter((word) => word !== "")
    .join(" · ");
  item.tooltip = configured.location;
  item.id = configured.location;
  return item;
}

function machineItem({ machine, isReading }: MachineNode): TreeItem {
  const { group, snapshots, newest, matching } = machine;
  const [type = "", name = group] = group.split("/");
  const icon = type === "vm" ? "vm" : type === "ct" ? "package" : "server";
  const item = plainItem(name, icon, isReading ? "reading.machine" : "machine", Collapsed);
  if (isReading) {
    // which is the newest, and what is recorded of it, is not known yet
    item.description = l10n.t("{0} snapshots so far", snapshots);
    item.tooltip = markdown([`**${escaped(machine.machine)}**`, l10n.t("Its snapshots are still being read.")]);
    return item;
  }
  const age = ageText(newest.timeMs, Date.now(), env.language);
  item.description = [countText(snapshots, matching), age, ...stateWords(newest, l10n.t)].join(" · ");
  if (isDamaged(newest)) item.iconPath = new ThemeIcon(icon, new ThemeColor("testing.iconFailed"));
  const newestText = matching === undefined ? l10n.t("Newest snapshot: {0}", fullTime(newest)) : "";
  item.tooltip = markdown([`**${escaped(machine.machine)}**`, ...(newestText === "" ? [] : [newestText])]);
  return item;
}

function countText(snapshots: number, matching: number | undefined): string {
  if (matching !== undefined) return l10n.t("{0} of {1} snapshots", matching, snapshots);
  return snapshots === 1 ? l10n.t("1 snapshot") : l10n.t("{0} snapshots", snapshots);
}

function dayItem({ snapshots, newest, parent }: DayNode): TreeItem {
  const [first] = snapshots;
  const title = dayTitle(first?.timeMs ?? 0, Date.now(), env.language);
  const item = plainItem(title, "calendar", "day", newest ? Expanded : Collapsed);
  item.description = parent.isReading ? "" : dayWords(snapshots);
  return item;
}

/** A closed day tells what its only snapshot is, or that one of several is damaged. */
function dayWords(snapshots: readonly SnapshotData[]): string {
  const [only] = snapshots;
  if (only !== undefined && snapshots.length === 1) {
    const tags = only.tags.map((tag) => `#${tag}`);
    return [...stateWords(only, l10n.t), ...tags].join(" · ");
  }
  const words = [l10n.t("{0} snapshots", snapshots.length), ...(snapshots.some(isDamaged) ? [l10n.t("damaged")] : [])];
  return words.join(" · ");
}

function snapshotItem({ snapshot, isReading }: SnapshotNode): TreeItem {
  const { id, color } = isReading ? { id: "circle-outline" } : stateIcon(snapshot);
  const kept = snapshot.protected ? "snapshot.protected" : "snapshot";
  const time = timeOfDay(snapshot.timeMs, env.language);
  const item = plainItem(time, id, isReading ? "reading.snapshot" : kept, Collapsed);
  if (color !== undefined) item.iconPath = new ThemeIcon(id, new ThemeColor(color));
  const size = sizeText(snapshot.sizeBytes, env.language);
  const added = `+${sizeText(snapshot.newBytes, env.language)}`;
  const known = isReading ? [] : stateWords(snapshot, l10n.t);
  const tags = isReading ? [] : snapshot.tags.map((tag) => `#${tag}`);
  item.description = [...known, size, added, ...tags].join(" · ");
  item.tooltip = isReading
    ? markdown([escaped(fullTime(snapshot)), l10n.t("What is recorded about it is still being read.")])
    : snapshotTooltip(snapshot);
  item.accessibilityInformation = { label: `${fullTime(snapshot)}, ${item.description}` };
  return item;
}

function snapshotTooltip(snapshot: SnapshotData): MarkdownString {
  const { verification, restoreTest, disks } = snapshot;
  const locale = env.language;
  const lines = [
    `**${escaped(snapshot.machine)}** — ${escaped(fullTime(snapshot))}`,
    ...(snapshot.notes === "" ? [] : [escaped(snapshot.notes)]),
    `${l10n.t("Id")}: \`${snapshot.snapshotId}\``,
    ...disks.map((disk) => `$(circle-small) ${escaped(disk.name)}: ${sizeText(disk.sizeBytes, locale)}`),
    l10n.t("{0} new, {1} stored", sizeText(snapshot.newBytes, locale), sizeText(snapshot.storedBytes, locale)),
    verification === null
      ? l10n.t("Never verified")
      : verification.result === "ok"
        ? l10n.t("Verified on {0}", dateAndTime(verification.atMs, locale))
        : l10n.t("Damage found on {0}", dateAndTime(verification.atMs, locale)),
    restoreTest === null
      ? l10n.t("Never restored in a test")
      : l10n.t(
          "Restore test of {0}: {1}",
          dateAndTime(restoreTest.atMs, locale),
          outcomeText(restoreTest.outcome, l10n.t),
        ),
    l10n.t("Made by {0}, mode {1}, consistency {2}", escaped(snapshot.host), snapshot.mode, snapshot.consistency),
  ];
  return markdown(lines);
}

const ENTRY_ICONS: Partial<Record<EntryData["kind"], string>> = {
  disk: "database",
  volume: "layers",
  symlink: "link",
  unreadable: "error",
};

function entryItem(node: EntryNode): TreeItem {
  const { entry } = node;
  const isFolder = ["disk", "volume", "directory"].includes(entry.kind) && !entry.forbidden && entry.problem === null;
  const item = new TreeItem(entry.name, isFolder ? Collapsed : None);
  item.contextValue = node.filter === "" ? viewItemOf(entry) : `${viewItemOf(entry)}.filtered`;
  item.description = node.filter === "" ? entryDescription(entry) : l10n.t("filter: {0}", node.filter);
  item.tooltip = entryTooltip(entry);
  if (!entry.forbidden) item.resourceUri = uriOf(node);
  const icon = entry.problem === null ? ENTRY_ICONS[entry.kind] : "error";
  if (entry.kind === "directory" && icon !== "error") item.iconPath = ThemeIcon.Folder;
  else if (entry.kind === "file" && icon !== "error") item.iconPath = ThemeIcon.File;
  else
    item.iconPath = new ThemeIcon(
      icon ?? "circle-slash",
      icon === "error" ? new ThemeColor("list.errorForeground") : undefined,
    );
  if (["file", "symlink"].includes(entry.kind) && !entry.forbidden && entry.problem === null)
    item.command = { command: "reprise.openFile", title: l10n.t("Open"), arguments: [node] };
  return item;
}

function viewItemOf({ kind, forbidden, problem }: EntryData): string {
  if (forbidden || problem !== null) return "unopenable";
  if (kind === "directory") return "folder";
  if (kind === "symlink") return "link";
  return ["disk", "volume", "file"].includes(kind) ? kind : "other";
}

function entryDescription(entry: EntryData): string {
  const size = entry.sizeBytes === null ? "" : sizeText(entry.sizeBytes, env.language);
  if (entry.problem !== null) return entry.problem.message;
  if (entry.kind === "symlink") return `→ ${entry.target ?? ""}`;
  if (entry.kind === "file") return size;
  if (entry.kind === "disk") return size;
  if (entry.kind === "volume") return [entry.description, size].filter((part) => part !== "").join(" · ");
  return entry.kind === "directory" ? "" : entry.description || entry.kind;
}

function entryTooltip(entry: EntryData): string {
  const lines = [entry.path];
  if (entry.forbidden) lines.push(l10n.t("No file can have this name: it is shown and cannot be opened."));
  if (entry.modifiedAtMs !== null) lines.push(l10n.t("Changed {0}", dateAndTime(entry.modifiedAtMs, env.language)));
  if (entry.mode !== null) lines.push(l10n.t("Mode {0}", entry.mode.toString(8).padStart(4, "0")));
  if (entry.problem !== null) lines.push(entry.problem.message, entry.problem.hint ?? "");
  return lines.join("\n");
}

/** The place of an entry, for the editor. */
export function uriOf({ repositoryId, snapshot, entry }: EntryNode): Uri {
  const { snapshotId, machine } = snapshot.snapshot;
  return Uri.from(toUriParts({ repositoryId, machine, snapshot: snapshotId, path: entry.path }));
}

function moreItem(node: Extract<Node, { kind: "more" }>): TreeItem {
  const [shown, total] = [numberText(node.shown), numberText(node.total)];
  const item = plainItem(l10n.t("Show more… ({0} of {1} shown)", shown, total), "ellipsis", "more", None);
  item.command = { command: "reprise.showMore", title: l10n.t("Show more"), arguments: [node] };
  return item;
}

/** Short: there is room for thirty letters. */
function readingItem({ done, total }: ReadingNode): TreeItem {
  const label =
    total === null
      ? l10n.t("Reading… {0} so far", numberText(done))
      : l10n.t("Reading… {0} of {1}", numberText(done), numberText(total));
  const item = plainItem(label, "loading~spin", "reading", None);
  item.tooltip = l10n.t("Snapshots are still being read. What is below is not complete.");
  return item;
}

function filteredItem(node: FilteredNode): TreeItem {
  const { filter, matching, all } = node;
  const label =
    all !== null
      ? l10n.t("{0} of {1} match “{2}”", numberText(matching), numberText(all), filter)
      : l10n.t("Nothing here matches “{0}”", filter);
  const item = plainItem(label, "filter-filled", "filtered", None);
  item.tooltip = l10n.t("Click to show everything again");
  const command = node.parent.kind === "entry" ? "reprise.clearFolderFilter" : "reprise.clearFilter";
  item.command = { command, title: l10n.t("Clear Filter"), arguments: [node.parent] };
  return item;
}

function numberText(value: number): string {
  return value.toLocaleString(env.language);
}

function problemItem(node: ProblemNode): TreeItem {
  const item = plainItem(node.reason ?? node.message, node.locked ? "key" : "error", "problem", None);
  if (node.reason !== undefined) item.description = node.message;
  item.tooltip = node.message;
  if (node.locked)
    item.command = { command: "reprise.unlockRepository", title: l10n.t("Enter Passphrase…"), arguments: [node] };
  return item;
}

function fullTime({ timeMs }: SnapshotData): string {
  return dateAndTime(timeMs, env.language);
}

function markdown(lines: readonly string[]): MarkdownString {
  return new MarkdownString(lines.join("\n\n"), true);
}

/** Text of a repository is text: no links, images or icons of its own. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()#+\-.!<>|~$&]/g, "\\$&").replaceAll(/\s+/g, " ");
}
