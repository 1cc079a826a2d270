// How a backup reports and ends early.

import type { OnProgress } from "../platform/progress.js";
import type { OnWarning } from "../repository/warnings.js";

export interface BackupOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
  onWarning: OnWarning;
}
