// The row of a machine in the Repositories view, looked for from the top.

import type { Node } from "./nodes.js";
import type { RepositoriesTree } from "./repositoriesTree.js";

/** Undefined: there is none, or its repository cannot be read. A filter that hides it is cleared. */
export async function findMachine(
  tree: RepositoriesTree,
  location: string,
  machine: string,
): Promise<Node | undefined> {
  const found = await findShown(tree, location, machine);
  if (found !== undefined || tree.filter === "") return found;
  tree.setFilter("");
  return await findShown(tree, location, machine);
}

async function findShown(tree: RepositoriesTree, location: string, machine: string): Promise<Node | undefined> {
  const isOfMachine = (node: Node) => node.kind === "machine" && node.machine.machine === machine;
  const roots = await tree.getChildren();
  const root = roots.find((node) => node.kind === "repository" && node.configured.location === location);
  const rows = root === undefined ? [] : await allRows(tree, root);
  for (const row of rows) {
    if (isOfMachine(row)) return row;
    const inside = row.kind === "namespace" ? (await allRows(tree, row)).find(isOfMachine) : undefined;
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** Also those that are shown on demand. */
async function allRows(tree: RepositoriesTree, parent: Node): Promise<Node[]> {
  for (;;) {
    const rows = await tree.getChildren(parent);
    const more = rows.find((row) => row.kind === "more");
    if (more === undefined) return rows;
    tree.showMore(more);
  }
}
