// Publishes signed statements: one commit on top of the evidence branch, with one entry in its log. Nobody's work tree, index or branch
// changes, nothing is forced; whoever was faster is followed. What is there already is not published again.

import { setTimeout as sleep } from "node:timers/promises";
import { RepriseError } from "../errors.js";
import type { SigningKey, VerificationKey } from "../evidence/signingKey.js";
import { deleteRef } from "../git/branchHistory.js";
import { writeBlob, writeCommit, writeTree } from "../git/gitCommits.js";
import { pushCommit } from "../git/gitRemote.js";
import { checkRoom, largestReadable } from "./branchRoom.js";
import {
  type BranchLimits,
  branchInvalid,
  type CheckedBranch,
  type EvidencePlace,
  READ_LIMITS,
  readBranchInto,
  temporaryRef,
} from "./fetchedBranch.js";
import { type NewStatement, newStatements, type Publication, planPublication } from "./planPublication.js";
import { rememberBranch } from "./seenBranch.js";
import { statementAbout } from "./statementAbout.js";

const DEFAULT_AUTHOR = { name: "reprise", email: "reprise@localhost" };

export interface PublishRequest {
  /** DSSE envelopes with in-toto statements. */
  envelopes: readonly string[];
  /** That sign the entry of the log. */
  signingKeys: readonly SigningKey[];
  /** Whose entries are extended, besides those of the signing keys. */
  trustedKeys?: readonly VerificationKey[];
  /** Who says to publish, for people: host and tool. */
  by: string;
  /** What was published longer ago than this is dropped along the way; null: nothing is. */
  keepMs: number | null;
  /** SHA-256 of files of statements to be taken back. */
  drop?: readonly string[];
  /** As jobs publish: see PublicationWishes. Default: false. */
  isCatchUp?: boolean;
  /** Of the commit. */
  author?: { name: string; email: string };
  /** Only says what would be published. */
  dryRun?: boolean;
}

export interface PublishOptions {
  signal?: AbortSignal;
  now: () => number;
  /** How often it is tried when others publish at the same time. Default 20. */
  maxAttempts?: number;
  /** What the branch may hold afterwards. Default: what readers take. */
  limits?: BranchLimits;
}

export interface PublishReport {
  status: "published" | "nothing-new" | "would-publish";
  /** The tip of the branch as it is now; null: there is none yet. */
  commit: string | null;
  /** Of the newest entry: the new one, when there is one. */
  sequence: number | null;
  added: readonly Omit<NewStatement, "bytes">[];
  /** Of those given, how many were there already, */
  alreadyThere: number;
  /** and how many were too many for one publication: they are offered again by the next one. */
  left: number;
  dropped: readonly string[];
  attempts: number;
}

const DEFAULT_ATTEMPTS = 20;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;
const MAX_SHOWN = 50;

/**
 * EVIDENCE_BRANCH_INVALID when the branch is not what was published: it is not built upon. EVIDENCE_BRANCH_BUSY when others were faster
 * every time. EVIDENCE_BRANCH_FULL when readers would not take it any more. EVIDENCE_UNREADABLE, EVIDENCE_TOO_MUCH, SIGNING_KEY_MISSING, GIT_FETCH_FAILED, GIT_PUSH_FAILED. After an abort the branch has
 * all of it or nothing.
 */
export async function publishEvidence(
  place: EvidencePlace,
  request: PublishRequest,
  options: PublishOptions,
): Promise<PublishReport> {
  if (request.signingKeys.length === 0) throw keyMissing();
  const wanted = newStatements(request.envelopes);
  const publisher = new Publisher(place, request, options);
  try {
    return await publisher.publish(wanted);
  } finally {
    await deleteRef(place.repository, publisher.ref);
  }
}

class Publisher {
  readonly ref = temporaryRef();
  readonly #place: EvidencePlace;
  readonly #request: PublishRequest;
  readonly #options: PublishOptions;
  readonly #blobs = new Map<string, string>();

  constructor(place: EvidencePlace, request: PublishRequest, options: PublishOptions) {
    this.#place = place;
    this.#request = request;
    this.#options = options;
  }

  async publish(wanted: readonly NewStatement[]): Promise<PublishReport> {
    const { maxAttempts = DEFAULT_ATTEMPTS, signal } = this.#options;
    for (let attempts = 1; ; attempts++) {
      const branch = await this.#readSound();
      const plan = this.#plan(branch, wanted);
      if (plan !== null) checkRoom(this.#place.branch, branch, plan, this.#options.limits ?? READ_LIMITS);
      const left = plan?.left ?? 0;
      const about = { attempts, left, alreadyThere: wanted.length - left - (plan?.added.length ?? 0) };
      if (plan === null || this.#request.dryRun === true) return reportOf(branch, plan, about);
      const commit = await this.#write(branch, plan);
      const { remote, branch: name } = this.#place;
      const outcome = await pushCommit(this.#place.repository, { remote, branch: name, commit }, { signal });
      if (outcome === "pushed") {
        await rememberBranch(this.#place, { before: branch?.commit ?? null, commit });
        return { ...reportOf(branch, plan, about), status: "published", commit };
      }
      if (attempts >= maxAttempts) throw busy(name, attempts);
      await sleep(pauseMs(attempts), undefined, { signal });
    }
  }

  async #readSound(): Promise<CheckedBranch | null> {
    const { signingKeys, trustedKeys = [] } = this.#request;
    const keys = [...signingKeys.map(({ verificationKey }) => verificationKey), ...trustedKeys];
    const branch = await readBranchInto(this.#place, this.ref, keys, {
      signal: this.#options.signal,
      limits: largestReadable(this.#options.limits ?? READ_LIMITS),
    });
    const problems = [...(branch?.tree.problems ?? []), ...(branch?.rewritten ?? [])];
    if (problems.length > 0) throw branchInvalid(this.#place.branch, problems, EXTEND_HINT);
    return branch;
  }

  #plan(branch: CheckedBranch | null, wanted: readonly NewStatement[]): Publication | null {
    const { by, keepMs, drop = [], isCatchUp, signingKeys: keys } = this.#request;
    return planPublication(branch?.tree ?? null, wanted, {
      by,
      keepMs,
      drop,
      isCatchUp,
      keys,
      nowMs: this.#options.now(),
    });
  }

  /** Id of the commit, which nobody has yet. */
  async #write(branch: CheckedBranch | null, plan: Publication): Promise<string> {
    const { signal } = this.#options;
    const { repository } = this.#place;
    const changes: { path: string; blob: string | null }[] = [];
    for (const [path, bytes] of plan.files) {
      const blob = bytes === null ? null : (this.#blobs.get(path) ?? (await writeBlob(repository, bytes, { signal })));
      // statements stay the same when the entry has to be sealed again
      if (blob !== null && path.startsWith("statements/")) this.#blobs.set(path, blob);
      changes.push({ path, blob });
    }
    const tree = await writeTree(repository, branch?.commit ?? null, changes, { signal });
    const commit = {
      tree,
      parents: branch === null ? [] : [branch.commit],
      message: messageOf(plan),
      ...(this.#request.author ?? DEFAULT_AUTHOR),
      atMs: Date.parse(plan.entry.publishedAt),
    };
    return await writeCommit(repository, commit, { signal });
  }
}

const EXTEND_HINT =
  "nothing was published. If another key has published there, trust it, too (--key); else somebody has changed the branch: look at it with evidence log, and restore it from a clone or begin a new one under another name";

function reportOf(
  branch: CheckedBranch | null,
  plan: Publication | null,
  about: Pick<PublishReport, "attempts" | "alreadyThere" | "left">,
): PublishReport {
  return {
    status: plan === null ? "nothing-new" : "would-publish",
    commit: branch?.commit ?? null,
    sequence: plan?.entry.sequence ?? branch?.tree.head?.entry.sequence ?? null,
    added: (plan?.added ?? []).map(({ digest, predicateType, subjects }) => ({ digest, predicateType, subjects })),
    dropped: plan?.entry.dropped ?? [],
    ...about,
  };
}

function messageOf({ entry, added }: Publication): string {
  const about = [...new Set(added.map(statementAbout))];
  const shown = about.slice(0, MAX_SHOWN).map((text) => `- ${text}`);
  const more = about.length > shown.length ? [`- and ${about.length - shown.length} more`] : [];
  const gone = entry.dropped.length > 0 ? `, ${entry.dropped.length} dropped` : "";
  const count = `${added.length} ${added.length === 1 ? "statement" : "statements"}`;
  return [`evidence ${entry.sequence}: ${count}${gone}`, "", ...shown, ...more].join("\n");
}

/** Longer after each try, and different for each of those who try. */
function pauseMs(attempt: number): number {
  return Math.random() * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
}

function busy(branch: string, attempts: number): RepriseError {
  const message = `others were faster in publishing to ${branch}, ${attempts} times in a row`;
  return new RepriseError("conflict", "EVIDENCE_BRANCH_BUSY", message, {
    data: { branch, attempts },
    hint: "run it again; nothing was published",
    retry: "later",
  });
}

function keyMissing(): RepriseError {
  return new RepriseError("key", "SIGNING_KEY_MISSING", "publishing evidence needs a signing key", {
    hint: "set REPRISE_SIGNING_KEY or REPRISE_SIGNING_KEY_FILE; key signing generate makes one",
  });
}
