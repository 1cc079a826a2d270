// Which function looks at which type of check, and what it means when the time of an attempt is over.

import type { CheckSpec, CheckType } from "../spec/restoreTestSpec.js";
import { checkAgent } from "./agent.js";
import { checkCanary } from "./canary.js";
import type { AttemptOptions, CheckContext, CheckFunction, CheckVerdict, Observation } from "./check.js";
import { checkChunks } from "./chunks.js";
import { checkCommand } from "./command.js";
import { checkFile } from "./file.js";
import { checkFilesystem } from "./filesystem.js";
import { checkHttp } from "./http.js";
import { checkPartitionTable } from "./partitionTable.js";
import { checkScreenshot } from "./screenshot.js";
import { checkScript } from "./script.js";
import { checkSerial } from "./serial.js";
import { checkSql } from "./sql.js";
import { checkTcp } from "./tcp.js";

interface CheckKind<T extends CheckType> {
  observe: CheckFunction<T>;
  /** A guest that does not do in time what it should has failed; storage that is slow says nothing about the backup. */
  whenLate: CheckVerdict;
}

const KINDS: { readonly [T in CheckType]: CheckKind<T> } = {
  chunks: ofBackup(checkChunks),
  "partition-table": ofBackup(checkPartitionTable),
  filesystem: ofBackup(checkFilesystem),
  file: ofBackup(checkFile),
  canary: ofBackup(checkCanary),
  serial: ofGuest(checkSerial),
  agent: ofGuest(checkAgent),
  command: ofGuest(checkCommand),
  tcp: ofGuest(checkTcp),
  http: ofGuest(checkHttp),
  sql: ofGuest(checkSql),
  screenshot: ofGuest(checkScreenshot),
  script: { observe: checkScript, whenLate: "cannot-tell" },
};

function ofBackup<T extends CheckType>(observe: CheckFunction<T>): CheckKind<T> {
  return { observe, whenLate: "cannot-tell" };
}

function ofGuest<T extends CheckType>(observe: CheckFunction<T>): CheckKind<T> {
  return { observe, whenLate: "fails" };
}

/** One attempt. */
export async function observe(check: CheckSpec, context: CheckContext, options: AttemptOptions): Promise<Observation> {
  // A check and the entry of its type belong together; the compiler does not see that through the union.
  const kind = KINDS[check.type] as CheckKind<CheckType>;
  return await kind.observe(check, context, options);
}

export function whenLate(type: CheckType): CheckVerdict {
  return KINDS[type].whenLate;
}

/** setTimeout takes no more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long one attempt may take here. */
export function timeOfAttempt({ timeoutMs }: Pick<CheckSpec, "timeoutMs">): number {
  return Math.min(Math.max(1, timeoutMs), MAX_TIMER_MS);
}
