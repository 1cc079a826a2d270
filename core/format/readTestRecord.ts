// The record of a restore test for readers that go through many: one that cannot be understood is told, and does not end the reading.

import { isOurError, type RepriseError } from "../errors.js";
import type { JsonValue } from "./canonicalJson.js";
import { decodeRestoreTestRecord, type RestoreTestRecord } from "./restoreTestRecord.js";

/** Null, told by `onUnreadable`, for one that does not follow its format, or a later one. */
export function readTestRecord(
  value: JsonValue,
  what: string,
  onUnreadable?: (error: RepriseError) => void,
): RestoreTestRecord | null {
  try {
    return decodeRestoreTestRecord(value, what);
  } catch (error) {
    if (!isOurError(error)) throw error;
    onUnreadable?.(error);
    return null;
  }
}
