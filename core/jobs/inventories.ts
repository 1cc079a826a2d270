// What a job has to say about the machines that it has touched, for the evidence branch.

import { type Inventory, inventoryOf } from "../evidence/inventory.js";
import { endOf, newestTests, type StoredTest } from "../evidence/newestTests.js";
import { signInventory } from "../evidence/signedInventories.js";
import type { SigningKey } from "../evidence/signingKey.js";
import { loadCatalog } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";

/** Tests of each machine that are published again, in case that a publication has failed; the latest ones. */
const MAX_CAUGHT_UP = 10;

/**
 * Of each machine an inventory of the repository as it is now, and the newest tests as they were signed when they were stored: what is on the
 * branch already is not published again. None without a key.
 */
export async function signMachineEvidence(
  repository: Repository,
  machines: readonly string[],
  keys: readonly SigningKey[],
  options: { signal?: AbortSignal; onWarning: OnWarning },
): Promise<string[]> {
  if (keys.length === 0 || machines.length === 0) return [];
  const { shownLocation, config, environment } = repository;
  const asOfMs = environment.now();
  const catalog = await loadCatalog(repository, { ...options, fresh: true });
  const place = { id: config.repositoryId, location: shownLocation };
  const tests = newestTests(catalog.records);
  const inventories = [...new Set(machines)].map((machine) => inventoryOf(catalog, machine, place, asOfMs, tests));
  return [
    ...inventories.map((inventory) => signInventory(inventory, keys)),
    ...inventories.flatMap((inventory) => latestTests(inventory, tests).flatMap(({ envelopes }) => envelopes)),
  ];
}

function latestTests({ snapshots }: Inventory, tests: ReadonlyMap<string, StoredTest>): StoredTest[] {
  return snapshots
    .flatMap(({ manifestDigest }) => tests.get(manifestDigest) ?? [])
    .filter(({ envelopes }) => envelopes.length > 0)
    .toSorted((a, b) => endOf(b) - endOf(a))
    .slice(0, MAX_CAUGHT_UP);
}
