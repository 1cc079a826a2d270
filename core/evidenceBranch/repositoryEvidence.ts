// What a repository has to publish: of each machine a fresh inventory, and the newest test of each snapshot in it, as it was signed when
// it was stored.

import { inventoryOf } from "../evidence/inventory.js";
import { newestTests } from "../evidence/newestTests.js";
import { signInventory } from "../evidence/signedInventories.js";
import type { SigningKey } from "../evidence/signingKey.js";
import { qualifiedGroup } from "../format/manifest.js";
import type { Catalog } from "../repository/catalog.js";

export interface MachineEvidence {
  machine: string;
  /** How many the machine has. */
  snapshots: number;
  /** Of snapshots in the inventory. */
  tests: number;
  /** Tests among them that nobody has signed: they cannot be published. */
  unsignedTests: number;
  /** The inventory first. */
  envelopes: readonly string[];
}

/**
 * `catalog`: read fresh from the storage, after `asOfMs`. `machines`: null for all that have snapshots; one that has none gets an
 * inventory that says so.
 */
export function repositoryEvidence(
  catalog: Catalog,
  machines: readonly string[] | null,
  repository: { id: string; location: string },
  { asOfMs, keys }: { asOfMs: number; keys: readonly SigningKey[] },
): MachineEvidence[] {
  const all = catalog.snapshots.map(({ manifest }) => qualifiedGroup(manifest.namespace, manifest.group));
  const tests = newestTests(catalog.records);
  return [...new Set(machines ?? all.toSorted())].map((machine) => {
    const inventory = inventoryOf(catalog, machine, repository, asOfMs, tests);
    const found = inventory.snapshots.flatMap(({ manifestDigest }) => tests.get(manifestDigest) ?? []);
    const envelopes = found.flatMap((test) => test.envelopes);
    return {
      machine,
      snapshots: inventory.total,
      tests: found.length,
      unsignedTests: found.filter((test) => test.envelopes.length === 0).length,
      envelopes: [signInventory(inventory, keys), ...envelopes],
    };
  });
}
