// What the system says when something cannot be written: about one name, or about the whole target.

import { RepriseError } from "../../errors.js";

const OF_ONE_NAME: Record<string, string> = {
  EEXIST: "its name is taken on the target",
  EISDIR: "a folder has its name on the target",
  ENOTDIR: "something that is no folder has its name on the target",
  ELOOP: "a link has its name on the target",
  ENAMETOOLONG: "its name is too long for the target",
  EILSEQ: "the target's file system does not take its name",
  EINVAL: "the target's file system does not take its name",
  EFBIG: "it is too large for the target's file system",
  EMLINK: "the target's file system takes no more links to it",
  EACCES: "the target does not allow it",
  EPERM: "the target does not allow it",
  ENOTSUP: "the target's file system does not have such files",
  EOPNOTSUPP: "the target's file system does not have such files",
  ERR_INVALID_ARG_VALUE: "its link leads to no possible path",
};

/** A sentence when only one name is meant, an error when nothing more can be restored; unknown errors are thrown on. */
export function targetError(error: unknown, target: string): string | RepriseError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  const sentence = OF_ONE_NAME[code];
  if (sentence !== undefined) return `${sentence} (${code})`;
  const data = { path: target, errno: code };
  if (code === "ENOSPC" || code === "EDQUOT") {
    const hint = "what was restored stays; free some and run it again with --keep-existing";
    return new RepriseError("source", "TARGET_FULL", `no room on ${target} (${code})`, { data, hint, cause: error });
  }
  return new RepriseError("source", "TARGET_WRITE_FAILED", `${target} cannot be written (${code})`, {
    data,
    cause: error,
  });
}
