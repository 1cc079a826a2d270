// From an announced session to a committed snapshot, or to a session that was given up: what every writer of snapshots does
// around its own work. docs/protocol.md, W1–W8.

import { isAbort, isOurError } from "../errors.js";
import type { Manifest } from "../format/manifest.js";
import type { Repository } from "./repository.js";
import { type SessionOptions, WriterSession } from "./session.js";

/** A fenced session is repeated; more than this many times in a row means that something else is wrong. */
export const MAX_FENCED = 3;

/**
 * Opens a session, has `store` put packs into it and describe the snapshot, then indexes, commits and ends. "fenced": a
 * collector has given the session up; call again. An error of `store` or an abort gives the session up; what was uploaded
 * stays re-usable until the next collection. COMMIT_UNCERTAIN only when nobody can tell whether the snapshot exists.
 */
export async function writeSnapshot(
  repository: Repository,
  options: SessionOptions,
  store: (session: WriterSession) => Promise<Manifest>,
): Promise<Manifest | "fenced"> {
  const session = await WriterSession.open(repository, options);
  let manifest: Manifest | undefined;
  try {
    manifest = await store(session);
    await session.writeIndex();
    options.signal?.throwIfAborted();
    const outcome = await session.commit(manifest);
    await session.end();
    return outcome === "fenced" ? "fenced" : manifest;
  } catch (error) {
    const ended = await giveUp(session, error, options);
    if (ended !== "committed" || manifest === undefined) throw failureOf(error, ended);
    return manifest;
  }
}

/**
 * Best effort: without it a collector finds out by itself after some hours. "committed": the commit, unanswered until now,
 * had been carried out, and the snapshot is there.
 */
async function giveUp(
  session: WriterSession,
  error: unknown,
  options: SessionOptions,
): Promise<"abandoned" | "committed" | "unknown"> {
  const reason = isAbort(error) ? "interrupted" : String((error as Error).message).slice(0, 500);
  try {
    return await session.abandon(reason);
  } catch (cause) {
    session.drop();
    if (!isOurError(cause)) throw cause;
    options.onWarning({
      code: "SESSION_LEFT_OPEN",
      message: `the session could not be closed (${cause.message}); gc will`,
    });
    return "unknown";
  }
}

/** A session that could be given up has not committed: then the reason why is the error. */
function failureOf(error: unknown, ended: "abandoned" | "committed" | "unknown"): unknown {
  return isOurError(error, "COMMIT_UNCERTAIN") && ended === "abandoned" ? error.cause : error;
}
