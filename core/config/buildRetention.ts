// Which snapshots a job keeps. Rules that say nothing would keep everything: that is a mistake where pruning is asked for.

import { isOurError } from "../errors.js";
import { checkKeepOptions, type KeepOptions, keepsEverything } from "../retention/prunePolicy.js";
import type { Building } from "./building.js";

export function buildRetention(raw: Record<string, unknown>, at: string, { problems }: Building): KeepOptions {
  try {
    const keep = checkKeepOptions(raw);
    if (keepsEverything(keep)) {
      problems.addAtKey(
        at,
        "retention has no rule above 0: nothing would ever be forgotten; write for example daily: 7",
      );
    }
    return keep;
  } catch (error) {
    if (!isOurError(error)) throw error;
    problems.add(
      error.code === "DURATION_INVALID" ? `${at}/within` : at,
      `within: ${error.message}; ${error.hint ?? ""}`,
    );
    return {};
  }
}
