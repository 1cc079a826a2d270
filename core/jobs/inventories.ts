// Signed inventories of machines that a job has touched, for the evidence branch.

import { inventoryOf } from "../evidence/inventory.js";
import { signInventory } from "../evidence/signedInventories.js";
import type { SigningKey } from "../evidence/signingKey.js";
import { loadCatalog } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";

/** One envelope a machine, of the repository as it is now; none without a key. */
export async function signInventories(
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
  return [...new Set(machines)].map((machine) => signInventory(inventoryOf(catalog, machine, place, asOfMs), keys));
}
