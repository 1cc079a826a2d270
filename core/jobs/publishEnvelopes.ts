// Publishes what jobs have signed on the evidence branch of the configuration.

import type { RepriseConfig } from "../config/repriseConfig.js";
import type { SigningKey } from "../evidence/signingKey.js";
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

/** The errors of publishEvidence and openGitRepository. What is there already is not published again. */
export async function publishEnvelopes(
  { evidence }: Pick<RepriseConfig, "evidence">,
  { envelopes, signingKeys, gitFolder, by }: EnvelopePublication,
  options: { signal?: AbortSignal; now: () => number },
): Promise<PublishReport> {
  const repository = await openGitRepository(gitFolder, options);
  const place = { repository, remote: evidence.remote, branch: evidence.branch };
  return await publishEvidence(place, { envelopes, signingKeys, by, keepMs: null }, options);
}
