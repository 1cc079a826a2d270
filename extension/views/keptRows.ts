// Rows of namespaces and machines keep their identity when what they show is read again: they stay open, and show as much as before.

import type { MachineData, MachinePage } from "../service/protocol.js";
import {
  MACHINES_SHOWN,
  type MachineNode,
  NAMESPACES_OPEN,
  type NamespaceNode,
  type RepositoryNode,
  SNAPSHOTS_SHOWN,
} from "./nodes.js";

export class KeptRows {
  readonly #rows = new Map<string, NamespaceNode | MachineNode>();

  /** Each shows as much as at first. */
  reset(): void {
    for (const row of this.#rows.values()) row.shown = row.kind === "machine" ? SNAPSHOTS_SHOWN : MACHINES_SHOWN;
  }

  /** `count`: of all namespaces. */
  namespace(
    parent: RepositoryNode,
    { namespace, machines }: MachinePage["namespaces"][number],
    count: number,
  ): NamespaceNode {
    const key = `${parent.configured.location}\n${namespace}:`;
    const shown = this.#rows.get(key)?.shown ?? MACHINES_SHOWN;
    const isCollapsed = count > NAMESPACES_OPEN;
    return this.#kept(key, { kind: "namespace", parent, namespace, machines, shown, isCollapsed });
  }

  machine(
    parent: RepositoryNode | NamespaceNode,
    repository: RepositoryNode,
    machine: MachineData,
    isReading: boolean,
  ): MachineNode {
    const key = `${repository.configured.location}\n${machine.machine}`;
    const known = this.#rows.get(key);
    const shown = known?.kind === "machine" ? known.shown : SNAPSHOTS_SHOWN;
    return this.#kept(key, { kind: "machine", parent, repository, machine, shown, isReading });
  }

  #kept<T extends NamespaceNode | MachineNode>(key: string, row: T): T {
    const known = this.#rows.get(key);
    if (known?.kind === row.kind) return Object.assign(known, row) as T;
    this.#rows.set(key, row);
    return row;
  }
}
