// The row of a machine in the Repositories view, looked for from the top.

import type { Node } from "./nodes.js";
import type { RepositoriesTree } from "./repositoriesTree.js";

/** Undefined: there is none, or its repository cannot be read. */
export async function findMachine(
  tree: RepositoriesTree,
  location: string,
  machine: string,
): Promise<Node | undefined> {
  const isOfMachine = (node: Node) => node.kind === "machine" && node.machine.machine === machine;
  const roots = await tree.getChildren();
  const root = roots.find((node) => node.kind === "repository" && node.configured.location === location);
  const rows = root === undefined ? [] : await tree.getChildren(root);
  for (const row of rows) {
    if (isOfMachine(row)) return row;
    const inside = row.kind === "namespace" ? (await tree.getChildren(row)).find(isOfMachine) : undefined;
    if (inside !== undefined) return inside;
  }
  return undefined;
}
