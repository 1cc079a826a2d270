// What the rows of the Repositories view stand for, as data. A row knows its parent, so that it can be revealed.

import type { ConfiguredRepository } from "../repositories/configured.js";
import type { EntryData, MachineData, SnapshotData } from "../service/protocol.js";

export interface RepositoryNode {
  kind: "repository";
  configured: ConfiguredRepository;
  /** How many machines without a namespace are shown. */
  shown: number;
  /** It was open before its row was drawn: somebody has just typed its passphrase. */
  isNew: boolean;
}

export interface NamespaceNode {
  kind: "namespace";
  parent: RepositoryNode;
  namespace: string;
  /** How many machines it has, and how many of them are shown. */
  machines: number;
  shown: number;
  /** One of many. */
  isCollapsed: boolean;
}

export interface MachineNode {
  kind: "machine";
  parent: RepositoryNode | NamespaceNode;
  repository: RepositoryNode;
  machine: MachineData;
  /** How many snapshots are shown. */
  shown: number;
  /** There may be more snapshots, newer ones, too. */
  isReading: boolean;
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
  /** What is recorded about it is not known yet. */
  isReading: boolean;
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
  /** Which of them; the empty text: all. */
  filter: string;
}

export type PagedNode = RepositoryNode | NamespaceNode | MachineNode | EntryNode;

/** The last row of a list that is not complete. */
export interface MoreNode {
  kind: "more";
  parent: PagedNode;
  shown: number;
  total: number;
}

/** In place of what could not be shown. */
export interface ProblemNode {
  kind: "problem";
  parent: Node;
  /** All of it; with a reason, behind that. */
  message: string;
  /** In few words. */
  reason?: string;
  /** The passphrase is what is missing. */
  locked: boolean;
}

/** The first row of a list that is still being read. */
export interface ReadingNode {
  kind: "reading";
  parent: RepositoryNode | MachineNode;
  done: number;
  /** Null: not known yet. */
  total: number | null;
}

/** What a filter has left; clicking on it shows everything again. */
export interface FilteredNode {
  kind: "filtered";
  parent: RepositoryNode | EntryNode;
  filter: string;
  matching: number;
  /** Null: nobody has counted. */
  all: number | null;
}

export type Node =
  | RepositoryNode
  | NamespaceNode
  | MachineNode
  | DayNode
  | SnapshotNode
  | EntryNode
  | MoreNode
  | ReadingNode
  | FilteredNode
  | ProblemNode;

export const MACHINES_SHOWN = 500;
/** With more namespaces than this they begin closed. */
export const NAMESPACES_OPEN = 12;
export const SNAPSHOTS_SHOWN = 200;
export const ENTRIES_SHOWN = 500;

export function repositoryNode(configured: ConfiguredRepository, isNew = false): RepositoryNode {
  return { kind: "repository", configured, shown: MACHINES_SHOWN, isNew };
}

/** Also of a row of another view, which has none above it and names its repository: anybody may call a command with any row. */
export function repositoryOf(node: Node): RepositoryNode {
  let current = node;
  while (current.kind !== "repository") {
    if (current.parent === undefined && "configured" in current)
      return repositoryNode(current.configured as ConfiguredRepository);
    current = current.parent;
  }
  return current;
}
