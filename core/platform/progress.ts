// Progress as data. Synchronous, cheap, unthrottled: whoever shows it decides how often.

export interface ProgressEvent {
  /** Which verb reports: backup, restore, verify, gc … */
  operation: string;
  /** What it is doing now, e.g. "scan", "upload", "mark". */
  phase: string;
  /** Disk, pack or snapshot being worked on, when there is one. */
  subject?: string;
  /** Work done and total, in `unit`; total absent when unknown. */
  done: number;
  total?: number;
  unit: "bytes" | "objects" | "snapshots";
}

export type OnProgress = (event: ProgressEvent) => void;
