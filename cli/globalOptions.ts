// Options that every verb understands, before or after the verb.

import { defaultCacheFolder } from "../core/index.js";
import type { Given } from "./given/given.js";
import type { CliIo } from "./io.js";
import type { OptionSpec } from "./lineSpec.js";

export const PROGRESS_KINDS = ["auto", "json", "none"] as const;
export type ProgressKind = (typeof PROGRESS_KINDS)[number];

export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    flags: "-r, --repo <location>",
    description: "the repository: a folder or a URL (or set REPRISE_REPOSITORY)",
    completes: "folder",
  },
  {
    flags: "--passphrase-file <file>",
    description: "read the passphrase from a file (or set REPRISE_PASSPHRASE or REPRISE_PASSPHRASE_FILE)",
    completes: "file",
  },
  { flags: "--json", description: "print one JSON document instead of text, also for errors" },
  {
    flags: "--progress <kind>",
    description: "auto: a line on a terminal; json: events and messages as JSON lines on standard error",
    choices: PROGRESS_KINDS,
    standard: "auto",
  },
  { flags: "-q, --quiet", description: "no progress and no summary; answers, warnings and errors stay" },
  { flags: "--no-color", description: "no colours (or set NO_COLOR)" },
  {
    flags: "--cache-dir <folder>",
    description: "where the local cache lives (or set REPRISE_CACHE_DIR)",
    completes: "folder",
  },
  {
    flags: "--keeper-key <file>",
    description:
      "the keeper's private key, for what only the keeper may do (or set REPRISE_KEEPER_KEY_FILE or REPRISE_KEEPER_KEY)",
    completes: "file",
  },
  {
    flags: "--trust-keeper <fingerprint>",
    description: "the keeper that the repository must have, or none (or set REPRISE_TRUST_KEEPER)",
    completes: "nothing",
  },
  { flags: "--no-cache", description: "neither read nor write the local cache" },
];

export interface GlobalSettings {
  /** Undefined: not named. */
  location: string | undefined;
  passphraseFile: string | undefined;
  json: boolean;
  progress: ProgressKind;
  quiet: boolean;
  colors: boolean;
  /** Null: no cache. */
  cacheFolder: string | null;
  keeperKeyFile: string | undefined;
  trustKeeper: string | undefined;
}

export function readGlobals(globals: Given, { env }: Pick<CliIo, "env">): GlobalSettings {
  return {
    location: globals.text("repo") ?? (env.REPRISE_REPOSITORY || undefined),
    passphraseFile: globals.text("passphraseFile"),
    json: globals.flag("json"),
    progress: (globals.text("progress") ?? "auto") as ProgressKind,
    quiet: globals.flag("quiet"),
    colors: globals.flag("color") && !env.NO_COLOR && env.TERM !== "dumb",
    cacheFolder: cacheFolderOf(globals, env),
    keeperKeyFile: globals.text("keeperKey"),
    trustKeeper: globals.text("trustKeeper"),
  };
}

function cacheFolderOf(globals: Given, env: CliIo["env"]): string | null {
  // commander keeps --no-cache as cache: false, whatever else was given
  if (!globals.flag("cache")) return null;
  return globals.text("cacheDir") ?? defaultCacheFolder({ ...env });
}
