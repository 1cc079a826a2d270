// Which keeper a repository had when this user met it first. A runner has the repository's key, so it could write a config
// that names another keeper, or none; whoever has met the right one notices. Pins are small files outside the cache, because
// a cache may be deleted at any time.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type KeeperKey, keeperFingerprint } from "../crypto/keeperKey.js";
import { RepriseError } from "../errors.js";
import type { RepositoryConfig } from "../format/config.js";
import { bytesToHex, objectName } from "../format/ids.js";
import { sha256 } from "../hash/digest.js";
import type { OnWarning } from "./warnings.js";

export interface KeeperTrust {
  /** Folder of the pins; null: none are kept. */
  stateFolder: string | null;
  /** The fingerprint that the repository must have, "none" for a repository with one role; decides instead of a pin. */
  expected?: string;
  /** Called when a keeper is met for the first time and pinned. */
  onFirstMeeting?: (fingerprint: string) => void;
}

/** What is remembered: of a place, and of a repository wherever it is. */
interface Pin {
  location: string;
  repositoryId: string;
  /** Fingerprint. */
  keeper: string;
}

/** `$REPRISE_STATE_DIR`, else `$XDG_STATE_HOME/reprise`, else `~/.local/state/reprise`. */
export function defaultStateFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.REPRISE_STATE_DIR) return environment.REPRISE_STATE_DIR;
  return join(environment.XDG_STATE_HOME ?? join(homedir(), ".local", "state"), "reprise");
}

export interface MetRepository {
  location: string;
  config: RepositoryConfig;
  keeperKey: KeeperKey | null;
}

/**
 * CONFIG_KEEPER_CHANGED when the config does not name the keeper that this user knows, KEEPER_KEY_WRONG when it names another one
 * than the key that was given. Pins a keeper that is met for the first time.
 */
export async function checkKeeper(met: MetRepository, trust: KeeperTrust, onWarning: OnWarning): Promise<void> {
  const { config, keeperKey } = met;
  const keeper = config.keeper === null ? null : keeperFingerprint(config.keeper);
  if (keeperKey !== null) checkOwnKey(met, keeperKey, keeper);
  if (trust.expected !== undefined) {
    if (trust.expected !== (keeper ?? "none")) throw changed(met, trust.expected, keeper);
  } else if (keeperKey === null) {
    for (const pin of await readPins(met, trust.stateFolder)) {
      if (pin.keeper !== keeper || pin.repositoryId !== config.repositoryId) throw changed(met, pin.keeper, keeper);
    }
  }
  if (keeper !== null) await pinKeeper(met, keeper, trust, onWarning);
}

function checkOwnKey({ location }: MetRepository, { fingerprint }: KeeperKey, keeper: string | null): void {
  if (keeper === fingerprint) return;
  const what = keeper === null ? "names no keeper" : `names the keeper ${keeper}`;
  throw new RepriseError(
    "key",
    "KEEPER_KEY_WRONG",
    `${location}: the config ${what}, the given key is ${fingerprint}`,
    {
      data: { object: objectName.config, expected: fingerprint, actual: keeper },
      hint: "check which key file belongs to this repository; if this one does, somebody has replaced the config: restore it",
    },
  );
}

async function pinKeeper(met: MetRepository, keeper: string, trust: KeeperTrust, onWarning: OnWarning): Promise<void> {
  const { stateFolder } = trust;
  if (stateFolder === null) return;
  const pin: Pin = { location: met.location, repositoryId: met.config.repositoryId, keeper };
  const text = `${JSON.stringify(pin)}\n`;
  let isNew = false;
  try {
    for (const path of pinPaths(met, stateFolder)) {
      if ((await readFile(path, "utf8").catch(() => "")) === text) continue;
      isNew = true;
      await mkdir(join(stateFolder, "keepers"), { recursive: true, mode: 0o700 });
      await writeFile(`${path}.${process.pid}.tmp`, text, { mode: 0o600 });
      await rename(`${path}.${process.pid}.tmp`, path);
    }
  } catch (error) {
    if (trust.expected !== undefined || met.keeperKey !== null) return;
    const message = `the keeper ${keeper} cannot be remembered (${(error as Error).message}); name it with --trust-keeper`;
    return onWarning({ code: "KEEPER_NOT_PINNED", message, data: { keeper } });
  }
  if (isNew && trust.expected === undefined && met.keeperKey === null) trust.onFirstMeeting?.(keeper);
}

/** A pin that is there and cannot be read is an error: it must not be as good as none. */
async function readPins(met: MetRepository, stateFolder: string | null): Promise<Pin[]> {
  if (stateFolder === null) return [];
  const pins: Pin[] = [];
  for (const path of pinPaths(met, stateFolder)) {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") continue;
      throw unreadablePin(path, cause);
    }
    pins.push(parsePin(path, text));
  }
  return pins;
}

function parsePin(path: string, text: string): Pin {
  try {
    const pin = JSON.parse(text) as Partial<Pin>;
    if (typeof pin.keeper === "string" && typeof pin.repositoryId === "string") return pin as Pin;
  } catch (cause) {
    throw unreadablePin(path, cause);
  }
  throw unreadablePin(path);
}

/** By repository, so that a copy elsewhere is noticed; by place, so that another repository put there is. */
function pinPaths({ location, config }: MetRepository, stateFolder: string): string[] {
  const ofPlace = bytesToHex(sha256(new TextEncoder().encode(location))).slice(0, 32);
  return [config.repositoryId as string, `at-${ofPlace}`].map((name) => join(stateFolder, "keepers", `${name}.json`));
}

function changed({ location, config }: MetRepository, known: string, keeper: string | null): RepriseError {
  const now = keeper === null ? "names no keeper" : `is ${config.repositoryId} with the keeper ${keeper}`;
  return new RepriseError(
    "corrupt",
    "CONFIG_KEEPER_CHANGED",
    `${location}: the keeper should be ${known}, but the repository there ${now}`,
    {
      data: { object: objectName.config, expected: known, actual: keeper },
      hint: `somebody may have replaced the config: restore it. If you made the repository anew, say --trust-keeper ${keeper ?? "none"}`,
    },
  );
}

function unreadablePin(path: string, cause?: unknown): RepriseError {
  return new RepriseError("key", "KEEPER_PIN_UNREADABLE", `${path}: what is known about the keeper cannot be read`, {
    data: { path },
    hint: "repair or remove the file, and compare the keeper's fingerprint with --trust-keeper",
    cause,
  });
}
