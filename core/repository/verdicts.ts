// Two roles: which decisions only the keeper may make, how they are signed, and what counts when one is not. In a repository
// whose config names no keeper everybody with the key may decide everything. docs/roles.md.

import { isSignedBy, keeperFingerprint } from "../crypto/keeperKey.js";
import { isAbort, isOurError, RepriseError } from "../errors.js";
import { objectName, type Sid } from "../format/ids.js";
import { decodeForgotten } from "../format/manifest.js";
import { type Signable, verdictStatement } from "../format/verdict.js";
import type { Repository } from "./repository.js";

/** KEEPER_KEY_REQUIRED before anything is touched; `what` begins the sentence. */
export function requireKeeper(repository: Repository, what: string): void {
  if (repository.config.keeper === null || repository.keeperKey !== null) return;
  throw new RepriseError("key", "KEEPER_KEY_REQUIRED", `${what} needs the keeper's key in this repository`, {
    data: { keeper: keeperFingerprint(repository.config.keeper) },
    hint: "nothing was changed; run it where the keeper's key is, with --keeper-key FILE or REPRISE_KEEPER_KEY",
  });
}

/** The decision as it is stored: signed when the repository has a keeper (KEEPER_KEY_REQUIRED without the key). */
export function signVerdict<T extends object>(repository: Repository, object: string, verdict: T): T & Signable {
  const { keeper, repositoryId } = repository.config;
  if (keeper === null) return verdict;
  requireKeeper(repository, `writing ${object}`);
  const signature = repository.keeperKey?.sign(verdictStatement(repositoryId, object, verdict));
  return { ...verdict, signature };
}

/** Whether a stored decision counts: always in a repository with one role, else only with the keeper's signature. */
export function isVerdictValid(repository: Repository, object: string, verdict: Signable): boolean {
  const { keeper, repositoryId } = repository.config;
  if (keeper === null) return true;
  if (verdict.signature === undefined) return false;
  return isSignedBy(keeper, verdictStatement(repositoryId, object, verdict), verdict.signature);
}

/** For readers that stop at it: VERDICT_UNSIGNED. */
export function checkVerdict<T extends Signable>(repository: Repository, object: string, verdict: T): T {
  if (isVerdictValid(repository, object, verdict)) return verdict;
  throw unsigned(object);
}

/** Whether a valid forgotten object stands for this session; asks the storage, never a cache. */
export async function isForgotten(
  repository: Repository,
  sid: Sid,
  options: { signal?: AbortSignal },
): Promise<boolean> {
  const name = objectName.forgotten(sid);
  try {
    return isVerdictValid(
      repository,
      name,
      decodeForgotten(await repository.objects.read(name, "forgotten", options), name),
    );
  } catch (error) {
    if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
    return false;
  }
}

export function unsigned(object: string): RepriseError {
  return new RepriseError("corrupt", "VERDICT_UNSIGNED", `${object}: does not carry the keeper's signature`, {
    data: { object },
    hint: "it counts for nothing; somebody with a writer's credentials has put it there: change them, and look who had them",
  });
}
