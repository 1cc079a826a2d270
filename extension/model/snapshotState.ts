// What is known about a snapshot, as an icon and a few words. Damage first, and nothing claimed that is not recorded.

import type { SnapshotData } from "../service/protocol.js";
import { levelText } from "./machineWords.js";
import type { Translate } from "./words.js";

export interface StateIcon {
  id: string;
  color?: string;
}

export function isDamaged({ verification, disks }: SnapshotData): boolean {
  return verification?.result === "damaged" || disks.some(({ lostRanges }) => lostRanges > 0);
}

function isProof(outcome: string): boolean {
  return outcome === "passed" || outcome === "warned";
}

export function stateIcon(snapshot: SnapshotData): StateIcon {
  const { verification, restoreTest } = snapshot;
  if (isDamaged(snapshot)) return { id: "error", color: "testing.iconFailed" };
  if (restoreTest !== null && isProof(restoreTest.outcome)) return { id: "pass-filled", color: "testing.iconPassed" };
  if (restoreTest?.outcome === "failed") return { id: "warning", color: "testing.iconQueued" };
  if (verification?.result === "ok") return { id: "verified", color: "testing.iconPassed" };
  return { id: "history" };
}

/** The badges in words: `damaged`, `boots`, `verified`, `protected`. */
export function stateWords(snapshot: SnapshotData, t: Translate): string[] {
  const { verification, restoreTest } = snapshot;
  const words: string[] = [];
  if (isDamaged(snapshot)) words.push(t("damaged"));
  if (restoreTest !== null && isProof(restoreTest.outcome))
    words.push(levelText(restoreTest.provenLevel, t) ?? t("nothing proven"));
  if (restoreTest?.outcome === "failed") words.push(t("restore test failed"));
  if (verification?.result === "ok") words.push(t("verified"));
  if (snapshot.protected) words.push(t("protected"));
  return words;
}
