// Versions, comparisons and restores: makes their views and commands and registers them, nothing else.

import {
  commands,
  type Disposable,
  type LogOutputChannel,
  l10n,
  type TreeView,
  type Uri,
  window,
  workspace,
} from "vscode";
import { ChangeCommands } from "./commands/changeCommands.js";
import { type Given, PlaceChooser } from "./commands/chosenPlace.js";
import { CompareCommands } from "./commands/compareCommands.js";
import { CopyCommands, type CopyGiven } from "./commands/copyCommands.js";
import { ExportCommands } from "./commands/exportCommands.js";
import { MapCommands } from "./commands/mapCommands.js";
import { RestoreCommands } from "./commands/restoreCommands.js";
import { RestoreRuns } from "./commands/restoreRuns.js";
import { copyWithWord } from "./commands/runningThings.js";
import { SearchCommands } from "./commands/searchCommands.js";
import { SideDocuments } from "./commands/sideDocuments.js";
import { PlainDocuments, TEXT_SCHEME } from "./files/plainDocuments.js";
import { commandLine } from "./model/commandLine.js";
import { expandLocation } from "./model/location.js";
import { fromUriParts, SCHEME } from "./model/repriseUri.js";
import { MappedContext } from "./repositories/mappedContext.js";
import type { OpenRepositories } from "./repositories/openRepositories.js";
import type { ServiceClient } from "./service/client.js";
import { type ChangeRow, ChangesTree } from "./views/changesTree.js";
import type { Node } from "./views/nodes.js";
import { type MoreHitsNode, type SearchNode, SearchTree } from "./views/searchTree.js";
import { type VersionNode, VersionsTree } from "./views/versionsTree.js";

export interface FileWorkParts {
  client: ServiceClient;
  repositories: OpenRepositories;
  /** The Repositories view. */
  view: TreeView<Node>;
  log: LogOutputChannel;
  register: <T extends unknown[]>(name: string, run: (...given: T) => unknown) => Disposable;
}

/** Selecting one row after the other looks only at the last one. */
const SETTLE_MS = 300;

export function registerFileWork({ client, repositories, view, log, register }: FileWorkParts): Disposable[] {
  const documents = new PlainDocuments();
  const versions = new VersionsTree(client, repositories);
  const versionsView = window.createTreeView<VersionNode>("reprise.versions", { treeDataProvider: versions });
  const changes = new ChangesTree(client, repositories);
  const changesView = window.createTreeView<ChangeRow>("reprise.changes", {
    treeDataProvider: changes,
    showCollapseAll: true,
  });
  const found = new SearchTree();
  const foundView = window.createTreeView<SearchNode>("reprise.search", {
    treeDataProvider: found,
    showCollapseAll: true,
  });
  found.attach(foundView);
  versions.attach(versionsView);
  changes.attach(changesView);

  const places = new PlaceChooser(client, repositories, () => view.selection[0]);
  const sides = new SideDocuments(documents, places);
  const compare = new CompareCommands(client, places, versions, sides);
  const change = new ChangeCommands(places, changes, sides, () => changesView.selection[0]);
  const exports = new ExportCommands(client, places, log);
  const copy = new CopyCommands(places, changes, () => view.selection[0]);
  const maps = new MapCommands(places);
  const restore = new RestoreCommands(client, places, new RestoreRuns(documents, log));
  const search = new SearchCommands(client, places, found);
  return [
    ...[versions, versionsView, changes, changesView, found, foundView],
    workspace.registerTextDocumentContentProvider(TEXT_SCHEME, documents),
    ...followFiles({ view, versionsView, versions, repositories }),
    new MappedContext(),
    versions.onDidChangeTreeData(() => setContext("reprise.hasVersions", versions.subject !== undefined)),
    changesView.onDidChangeSelection(({ selection: [row] }) => setContext("reprise.changeSelected", row !== undefined)),
    register("showVersions", (given?: Given) => compare.showVersions(given)),
    register("diffWithPrevious", (given?: Given) => compare.withPrevious(given)),
    register("diffWithVersion", (given?: Given) => compare.withVersion(given)),
    register("diffWithMachine", (given?: Given) => compare.withMachine(given)),
    register("diffWithLocal", (given?: Given) => compare.withLocal(given)),
    register("exportArchive", (given?: Given) => exports.archive(given)),
    register("exportEvidence", (given?: Given) => exports.evidence(given)),
    register("copyPath", (given?: CopyGiven) => copy.path(given)),
    register("copyCommandLine", (given?: CopyGiven) => copy.commandLine(given)),
    register("mapFolder", (given?: unknown) => maps.mapFolder(given)),
    register("copyHistoryCommand", () => copyHistoryCommand(versions)),
    register("changesSincePrevious", (given?: Given) => change.sincePrevious(given)),
    register("changesBetween", (given?: Given) => change.between(given)),
    register("openChange", (row?: ChangeRow) => change.open(row)),
    register("filterChanges", () => change.filter()),
    register("copyDiffCommand", () => change.copyCommandLine()),
    register("closeChanges", () => {
      changes.close();
      setContext("reprise.hasComparison", false);
    }),
    register("restoreToFolder", (given?: Given) => restore.toFolder(given)),
    register("restoreToWorkspace", (given?: Given) => restore.toWorkspace(given)),
    register("restoreDisk", (given?: Given) => restore.disk(given)),
    register("restoreMachine", (given?: Given) => restore.machine(given)),
    register("copyRestoreCommand", (given?: Given) => restore.copyCommandLine(given)),
    register("findFiles", (given?: Given) => search.findFiles(given)),
    register("searchText", (given?: Given) => search.searchText(given)),
    register("searchAgain", () => search.again()),
    register("showMoreHits", (row: MoreHitsNode) => search.showMore(row)),
    register("closeSearch", () => search.close()),
    register("copySearchCommand", () => search.copyCommandLine()),
  ];
}

/** The File versions view shows what is selected in the Repositories view, or the backup's file that is looked at. */
function followFiles({
  view,
  versionsView,
  versions,
  repositories,
}: {
  view: TreeView<Node>;
  versionsView: TreeView<VersionNode>;
  versions: VersionsTree;
  repositories: OpenRepositories;
}): Disposable[] {
  let settling: NodeJS.Timeout | undefined;
  const soon = (look: () => Promise<void> | void) => {
    clearTimeout(settling);
    // what cannot be found out is asked for by the command, which says why
    settling = setTimeout(() => void Promise.resolve(look()).catch(() => {}), SETTLE_MS);
  };
  const followNode = (node: Node | undefined) => {
    if (node?.kind !== "entry" || node.entry.kind !== "file" || node.entry.forbidden || !versionsView.visible) return;
    const { repository, snapshot } = node.snapshot;
    versions.show({ configured: repository.configured, machine: snapshot.machine, path: node.entry.path });
  };
  const followUri = async (uri: Uri | undefined) => {
    const place = uri?.scheme === SCHEME ? fromUriParts(uri) : undefined;
    if (place === undefined || place.path === "/" || !versionsView.visible) return;
    const { configured } = await repositories.byId(place.repositoryId);
    versions.show({ configured, machine: place.machine, path: place.path });
  };
  return [
    { dispose: () => clearTimeout(settling) },
    view.onDidChangeSelection(({ selection: [node] }) => soon(() => followNode(node))),
    window.onDidChangeActiveTextEditor((editor) => soon(() => followUri(editor?.document.uri))),
    versionsView.onDidChangeVisibility(({ visible }) => {
      if (visible && versions.subject === undefined) soon(() => followNode(view.selection[0]));
    }),
  ];
}

async function copyHistoryCommand({ subject }: VersionsTree): Promise<void> {
  if (subject === undefined)
    return void window.showInformationMessage(l10n.t("Select a file in a backup to see its versions."));
  const { configured, machine, path } = subject;
  await copyWithWord(commandLine(expandLocation(configured.location), ["history", `${machine}:${path}`]));
}

function setContext(key: string, value: boolean): void {
  void commands.executeCommand("setContext", key, value);
}
