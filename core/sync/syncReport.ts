// What a replication is asked for and what it answers.

import type { Sid } from "../format/ids.js";
import type { OnProgress } from "../platform/progress.js";
import type { CodecChoice } from "../repository/packBuilder.js";
import type { OnWarning } from "../repository/warnings.js";
import type { SyncScope, VanishedCopy } from "./planSync.js";

export interface SyncRequest extends SyncScope {
  /** SYNC_NOT_ENCRYPTED unless both repositories are encrypted. */
  encryptedOnly: boolean;
  /** For chunks that are new in the destination. */
  codec: CodecChoice;
  /** Worker threads on each side; default: cores, at most 8. 0: this thread. */
  lanes?: number;
}

export interface SyncOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
  onWarning: OnWarning;
}

export interface CopiedSnapshot {
  from: Sid;
  to: Sid;
  /** SHA-256 of the copy's manifest, hex. */
  digest: string;
  /** Plain bytes of the chunks that had to be read. */
  bytesRead: number;
  /** Plain bytes of those that the destination did not have. */
  bytesNew: number;
  /** What they, and the maps, take there. */
  bytesStored: number;
  durationMs: number;
}

export interface FailedSnapshot {
  from: Sid;
  code: string;
  message: string;
}

export interface SyncReport {
  copied: CopiedSnapshot[];
  /** Damaged where they were read from: left out, the others went on. */
  failed: FailedSnapshot[];
  /** Records written: changed notes, tags, protection, and what later releases know. */
  records: number;
  /** As planned; `forget` has been done. */
  vanished: VanishedCopy[];
}
