// What the rows of the Repositories view stand for, as data. A row knows its parent, so that it can be revealed.

import type { ConfiguredRepository } from "../repositories/configured.js";
import type { EntryData, MachineData, SnapshotData } from "../service/protocol.js";

export interface RepositoryNode {
  kind: "repository";
  configured: ConfiguredRepository;
}

export interface NamespaceNode {
  kind: "namespace";
  parent: RepositoryNode;
  namespace: string;
  machines: readonly MachineData[];
}

export interface MachineNode {
  kind: "machine";
  parent: RepositoryNode | NamespaceNode;
  repository: RepositoryNode;
  machine: MachineData;
  /** How many snapshots are shown. */
  shown: number;
}

export interface DayNode {
  kind: "day";
  parent: MachineNode;
  day: number;
  newest: boolean;
  snapshots: readonly SnapshotData[];
}

export interface SnapshotNode {
  kind: "snapshot";
  parent: DayNode;
  repository: RepositoryNode;
  snapshot: SnapshotData;
}

/** A disk, a volume, a folder or a file. */
export interface EntryNode {
  kind: "entry";
  parent: SnapshotNode | EntryNode;
  snapshot: SnapshotNode;
  /** Of the repository itself, for the URI. */
  repositoryId: string;
  entry: EntryData;
  /** How many entries below it are shown. */
  shown: number;
}

/** The last row of a list that is not complete. */
export interface MoreNode {
  kind: "more";
  parent: MachineNode | EntryNode;
  shown: number;
  total: number;
}

/** In place of what could not be shown. */
export interface ProblemNode {
  kind: "problem";
  parent: Node;
  message: string;
  /** The passphrase is what is missing. */
  locked: boolean;
}

export type Node =
  | RepositoryNode
  | NamespaceNode
  | MachineNode
  | DayNode
  | SnapshotNode
  | EntryNode
  | MoreNode
  | ProblemNode;

export const SNAPSHOTS_SHOWN = 200;
export const ENTRIES_SHOWN = 1000;

export function repositoryOf(node: Node): RepositoryNode {
  let current = node;
  while (current.kind !== "repository") current = current.parent;
  return current;
}
