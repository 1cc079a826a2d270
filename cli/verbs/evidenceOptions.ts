// Where the evidence branch is: options that all verbs about it share.

import { DEFAULT_EVIDENCE_BRANCH, type EvidencePlace, openGitRepository } from "../../core/index.js";
import type { Given } from "../given/given.js";
import type { OptionSpec } from "../lineSpec.js";

/** Ids of keys are shown by their first digits. */
export const SHOWN_KEY_DIGITS = 16;
const STANDARD_REMOTE = "origin";
const STANDARD_FOLDER = ".";

export const EVIDENCE_PLACE_OPTIONS: readonly OptionSpec[] = [
  {
    flags: "--branch <name>",
    description: "of the evidence branch",
    standard: DEFAULT_EVIDENCE_BRANCH,
    completes: "nothing",
  },
  {
    flags: "--remote <remote>",
    description: "a remote's name, or an address without credentials",
    standard: STANDARD_REMOTE,
    completes: "nothing",
  },
  {
    flags: "--git <folder>",
    description: "a clone of the git repository; its files and branches are left alone",
    standard: STANDARD_FOLDER,
    completes: "folder",
  },
];

/** GIT_MISSING, GIT_REPOSITORY_MISSING, GIT_FOLDER_UNTRUSTED. */
export async function openEvidencePlace(given: Given, signal: AbortSignal): Promise<EvidencePlace> {
  return {
    repository: await openGitRepository(given.text("git") ?? STANDARD_FOLDER, { signal }),
    remote: given.text("remote") ?? STANDARD_REMOTE,
    branch: given.text("branch") ?? DEFAULT_EVIDENCE_BRANCH,
  };
}
