// Inventories as envelopes: signing, and reading those that enough trusted keys have signed.

import { formatError } from "../format/bytes.js";
import { IN_TOTO_PAYLOAD_TYPE, signEnvelope } from "./dsse.js";
import { decodeInventory, INVENTORY_TYPE, type Inventory, inventoryStatement } from "./inventory.js";
import type { EvidencePolicy, EvidenceReason } from "./policy.js";
import type { SigningKey } from "./signingKey.js";
import { decodeStatement, encodeStatement } from "./statement.js";
import { readOr, trustedStatements } from "./trustedStatements.js";

export interface SignedInventory {
  inventory: Inventory;
  /** Ids of trusted keys. */
  signedBy: readonly string[];
  /** Number of the first envelope that has it. */
  envelope: number;
}

/** One envelope. FORMAT_INVALID for an inventory that nobody could read again. */
export function signInventory(inventory: Inventory, keys: readonly SigningKey[]): string {
  const payload = encodeStatement(inventoryStatement(inventory));
  const again = decodeInventory(decodeStatement(payload, "inventory"), "inventory");
  if (JSON.stringify(again) !== JSON.stringify(inventory)) throw formatError("inventory", "cannot be written down");
  return signEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, keys);
}

/**
 * Those among the envelopes that at least `threshold` of `keys` have signed, in the order given; statements of other types are
 * passed over. What does not count goes into `ignored`, what makes no sense although it is signed into `problems`.
 */
export function readInventories(
  envelopes: readonly string[],
  trust: Pick<EvidencePolicy, "keys" | "threshold">,
  { ignored, problems }: { ignored: EvidenceReason[]; problems: EvidenceReason[] },
): SignedInventory[] {
  const found: SignedInventory[] = [];
  for (const { statement, signedBy, envelope } of trustedStatements(envelopes, trust, ignored)) {
    if (statement.predicateType !== INVENTORY_TYPE) continue;
    const inventory = readOr(problems, "statement-invalid", envelope, () => decodeInventory(statement, "inventory"));
    if (inventory !== null) found.push({ inventory, signedBy, envelope });
  }
  return found;
}
