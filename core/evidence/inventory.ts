// What is signed about the snapshots of one machine: which there are, newest first. With it a gate that sees no repository knows
// whether the newest backup is the one that was tested. docs/format/evidence-branch.md.

export const INVENTORY_TYPE = "https://reprise.dev/inventory/v1";
/** Snapshots named in one statement. */
export const MAX_INVENTORY = 20;

export interface Inventory {
  repositoryId: string;
  /** Without secrets. */
  location: string;
  machine: string;
  /** ISO 8601 UTC: when the repository was read. */
  asOf: string;
  /** Newest first, the first MAX_INVENTORY. */
  snapshots: InventoriedSnapshot[];
}

export interface InventoriedSnapshot {
  sid: string;
  manifestDigest: string;
  time: string;
  verification: { result: "ok" | "damaged"; level: "structure" | "data"; at: string } | null;
}
