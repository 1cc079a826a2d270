// What to do about an error, as the editor lets one do it: the core's hints name options and commands of the command line.

import type { Translate } from "./words.js";

export interface FailureData {
  code: string;
  data: Record<string, unknown>;
  hint: string | undefined;
}

type Remedy = (t: Translate) => string;

/** By the error's code, and by what its hint speaks of; other hints hold in the editor, too. */
const REMEDIES: readonly { codes: readonly string[]; hint: RegExp; remedy: Remedy }[] = [
  {
    codes: ["TARGET_EXISTS", "TARGET_FULL"],
    hint: /--force|--keep-existing|run (it|the same restore) again/,
    remedy: (t) =>
      t("choose another folder or free space, then restore again: what is there is kept or replaced as you choose"),
  },
  {
    codes: ["TARGET_UNSUPPORTED"],
    hint: /--to/,
    remedy: (t) => t("files are restored into a folder: choose one"),
  },
  {
    codes: ["RESTORE_DAMAGED"],
    hint: /--skip-damaged/,
    remedy: (t) => t("restore an earlier snapshot, or the rest of this one"),
  },
  {
    codes: ["FILE_NOT_FOUND"],
    hint: /ls SNAPSHOT/,
    remedy: (t) => t("open the snapshot in the tree, or use Find Files by Name"),
  },
  {
    codes: ["FORGET_RECORD_UNREADABLE"],
    hint: /--confirm/,
    remedy: (t) => t("restore the object from a copy of the storage, or use reprise forget --confirm in a terminal"),
  },
  {
    codes: ["REPOSITORY_NOT_FOUND"],
    hint: /reprise init/,
    remedy: (t) => t("use Make New Repository, or check the location"),
  },
  {
    codes: ["STORAGE_FAILED"],
    hint: /unmounted/,
    remedy: (t) => t("was the disk unmounted? Mount it again, then refresh"),
  },
  { codes: ["STORAGE_FAILED"], hint: /repeat the command/, remedy: (t) => t("try again") },
];

const KEPT = /(^|; )what was written so far is kept in .*; remove it to begin anew$/s;

/** The remedy to show behind the sentence; undefined when there is none. */
export function remedyOf({ code, data, hint }: FailureData, t: Translate): string | undefined {
  const plain = hint?.replace(KEPT, "") || undefined;
  const found = REMEDIES.find(({ codes, hint: spoken }) => codes.includes(code) && spoken.test(plain ?? ""));
  const parts = [found === undefined ? plain : found.remedy(t)];
  if (Array.isArray(data.kept) && hint !== plain)
    parts.push(t("restored to the same place again, it goes on where it stopped"));
  return parts.filter((part) => part !== undefined).join("; ") || undefined;
}
