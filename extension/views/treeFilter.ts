// The filter box of the Repositories view and the one of a folder: asks, and says above the tree what is left out.

import { commands, Disposable, l10n, type TreeView, window } from "vscode";
import type { FilterCount } from "./filterCounts.js";
import type { EntryNode, Node } from "./nodes.js";
import type { RepositoriesTree } from "./repositoriesTree.js";

export interface TreeFilterParts {
  tree: RepositoriesTree;
  view: TreeView<Node>;
  register: <T extends unknown[]>(name: string, run: (...given: T) => unknown) => Disposable;
}

/** Whoever types is not interrupted. */
const TYPED_MS = 250;

export function registerTreeFilter({ tree, view, register }: TreeFilterParts): Disposable[] {
  const folderOf = (given: Node | undefined): EntryNode | undefined => {
    const node = given ?? view.selection[0];
    return node?.kind === "entry" ? node : undefined;
  };
  return [
    tree.onDidFilter((count) => describe(tree.filter, view, count)),
    view.onDidChangeSelection(({ selection: [node] }) => setFolderContexts(node)),
    register("filter", () => ask(filterBox(tree))),
    register("clearFilter", () => tree.setFilter("")),
    register("filterFolder", (given?: Node) => {
      const node = folderOf(given);
      return node === undefined ? undefined : ask(folderBox(tree, node));
    }),
    register("clearFolderFilter", (given?: Node) => {
      const node = folderOf(given);
      if (node === undefined) return;
      tree.filterFolder(node, "");
      setFolderContexts(view.selection[0]);
    }),
  ];
}

function describe(filter: string, view: TreeView<Node>, count: FilterCount | undefined): void {
  setContext("reprise.filtered", filter !== "");
  view.description = filter === "" ? undefined : l10n.t("filter: {0}", filter);
  view.message = filter === "" || count === undefined ? undefined : countText(filter, count);
}

function countText(filter: string, { machines, snapshots, isReading }: FilterCount): string {
  if (isReading) return l10n.t("Filter “{0}”: machines so far: {1}; snapshots are still being read.", filter, machines);
  return l10n.t("Filter “{0}”: machines: {1}, snapshots: {2}, in the open repositories.", filter, machines, snapshots);
}

interface FilterBox {
  title: string;
  prompt: string;
  placeholder: string;
  value: string;
  apply(filter: string): void;
}

function filterBox(tree: RepositoriesTree): FilterBox {
  return {
    title: l10n.t("Filter machines and snapshots"),
    prompt: l10n.t(
      "A part of the name or a pattern, tag:name, and damaged, verified, unverified, protected, tested, failed or untested",
    ),
    placeholder: "web* damaged",
    value: tree.filter,
    apply: (filter) => tree.setFilter(filter),
  };
}

function folderBox(tree: RepositoriesTree, node: EntryNode): FilterBox {
  return {
    title: l10n.t("Filter {0}", node.entry.name),
    prompt: l10n.t("A part of the names or a pattern; folders below it are not searched"),
    placeholder: "*.log",
    value: node.filter,
    apply: (filter) => {
      tree.filterFolder(node, filter);
      setFolderContexts(node);
    },
  };
}

/** Filters while it is typed; giving up brings back what was there before. */
async function ask({ title, prompt, placeholder, value, apply }: FilterBox): Promise<void> {
  const box = window.createInputBox();
  Object.assign(box, { title, prompt, placeholder, value });
  let applied = value;
  let typing: NodeJS.Timeout | undefined;
  const applyNow = (filter: string) => {
    clearTimeout(typing);
    if (filter === applied) return;
    applied = filter;
    apply(filter);
  };
  await new Promise<void>((resolve) => {
    let isAccepted = false;
    const parts = Disposable.from(
      box.onDidChangeValue((text) => {
        clearTimeout(typing);
        typing = setTimeout(() => applyNow(text.trim()), TYPED_MS);
      }),
      box.onDidAccept(() => {
        isAccepted = true;
        applyNow(box.value.trim());
        box.hide();
      }),
      box.onDidHide(() => {
        applyNow(isAccepted ? box.value.trim() : value);
        parts.dispose();
        box.dispose();
        resolve();
      }),
    );
    box.show();
  });
}

function isFolder(node: Node | undefined): boolean {
  return node?.kind === "entry" && ["directory", "volume"].includes(node.entry.kind) && node.entry.problem === null;
}

function setFolderContexts(node: Node | undefined): void {
  setContext("reprise.folderSelected", isFolder(node));
  setContext("reprise.folderFiltered", node?.kind === "entry" && node.filter !== "");
}

function setContext(name: string, value: boolean): void {
  void commands.executeCommand("setContext", name, value);
}
