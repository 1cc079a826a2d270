// Inventories that nobody needs any more: a newer one of the same machine is there. They are by far the most of a branch that is published to
// every hour. Pure.

import { isOurError } from "../errors.js";
import { decodeEnvelope } from "../evidence/dsse.js";
import { decodeInventory, INVENTORY_TYPE } from "../evidence/inventory.js";
import { decodeStatement } from "../evidence/statement.js";
import { decodeText } from "../format/bytes.js";
import type { LiveStatement } from "./branchTree.js";

/** For people who look back; git's history has them for longer. */
const KEEP_SUPERSEDED_MS = 30 * 24 * 3_600_000;

interface Claim {
  /** Repository and machine. */
  about: string;
  asOfMs: number;
}

/** Digests of those that were published longer ago than KEEP_SUPERSEDED_MS. `live`: in order of publication. `added`: what comes now. */
export function supersededInventories(
  live: readonly LiveStatement[],
  added: readonly { bytes: Uint8Array }[],
  nowMs: number,
): Set<string> {
  const old = live
    .filter(({ publishedAtMs }) => nowMs - publishedAtMs > KEEP_SUPERSEDED_MS)
    .flatMap(({ digest, bytes }) => {
      const claim = claimOf(bytes);
      return claim === null ? [] : [{ digest, ...claim }];
    });
  const open = new Map(Map.groupBy(old, ({ about }) => about));
  const superseded = new Set<string>();
  // the newest first: mostly a few of them answer for all
  for (const { bytes } of [...added, ...live.toReversed()]) {
    if (open.size === 0) break;
    const claim = claimOf(bytes);
    const claims = claim === null ? undefined : open.get(claim.about);
    if (claim === null || claims === undefined) continue;
    const left = claims.filter(({ asOfMs }) => asOfMs >= claim.asOfMs);
    for (const each of claims) if (each.asOfMs < claim.asOfMs) superseded.add(each.digest);
    if (left.length === 0) open.delete(claim.about);
    else open.set(claim.about, left);
  }
  return superseded;
}

/** Null for what is no inventory. */
function claimOf(bytes: Uint8Array): Claim | null {
  try {
    const statement = decodeStatement(decodeEnvelope(decodeText(bytes, "statement"), "statement").payload, "statement");
    if (statement.predicateType !== INVENTORY_TYPE) return null;
    const { repositoryId, machine, asOf } = decodeInventory(statement, "inventory");
    return { about: `${repositoryId}/${machine}`, asOfMs: Date.parse(asOf) };
  } catch (error) {
    if (isOurError(error)) return null;
    throw error;
  }
}
