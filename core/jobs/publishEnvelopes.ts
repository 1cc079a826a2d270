// Publishes what jobs have signed on the evidence branch of the configuration.

import { filesBeside } from "../config/configFiles.js";
import type { RepriseConfig } from "../config/repriseConfig.js";
import { isAbort } from "../errors.js";
import { type SigningKey, VerificationKey } from "../evidence/signingKey.js";
import { type PublishReport, publishEvidence } from "../evidenceBranch/publishEvidence.js";
import { openGitRepository } from "../git/gitRepository.js";

export interface EnvelopePublication {
  envelopes: readonly string[];
  signingKeys: readonly SigningKey[];
  /** Inside of the clone whose remote is meant. */
  gitFolder: string;
  /** Host and tool, for people. */
  by: string;
}

type PublishingConfig = Pick<RepriseConfig, "evidence" | "gates" | "fileName">;

/** The errors of publishEvidence and openGitRepository. What is there already, or was taken back, is not published again. */
export async function publishEnvelopes(
  config: PublishingConfig,
  { envelopes, signingKeys, gitFolder, by }: EnvelopePublication,
  options: { signal: AbortSignal; now: () => number },
): Promise<PublishReport> {
  const { remote, branch, keepMs } = config.evidence;
  const repository = await openGitRepository(gitFolder, options);
  const trustedKeys = await keysOfGates(config, options.signal);
  return await publishEvidence(
    { repository, remote, branch },
    { envelopes, signingKeys, trustedKeys, by, keepMs, isCatchUp: true },
    options,
  );
}

/**
 * Jobs may sign with keys of their own: what the gates trust may be built upon. One that cannot be read here vouches for nothing;
 * `config check` and the gate say so.
 */
async function keysOfGates({ gates, fileName }: PublishingConfig, signal: AbortSignal): Promise<VerificationKey[]> {
  const { readFile } = filesBeside(fileName, signal);
  const keys: VerificationKey[] = [];
  for (const path of new Set(gates.flatMap((gate) => gate.keys))) {
    try {
      keys.push(VerificationKey.fromPem(new TextDecoder().decode(await readFile(path))));
    } catch (error) {
      if (isAbort(error)) throw error;
    }
  }
  return keys;
}
