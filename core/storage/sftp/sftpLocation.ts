// What an `sftp:` location says: sftp://user@host:port/path?option=value. A path is absolute; `/~/x` is x in the user's
// home folder. Nothing of a location is repeated in an error: somebody may have put a password into it.

import { homedir } from "node:os";
import { join } from "node:path";
import { RepriseError } from "../../errors.js";

export interface SftpPlace {
  /** The whole location, as given. */
  location: string;
  /** Without options, for messages. */
  shown: string;
  user: string | undefined;
  /** Without brackets. */
  host: string;
  port: number | undefined;
  /** Absolute, or relative to the user's home folder; empty: that folder itself. */
  path: string;
  /** `ssh2`: the library. `ssh`: the system's program, with its configuration. */
  transport: "ssh2" | "ssh";
  /** `SHA256:…`, without padding: the only host key that is accepted. */
  hostKey: string | undefined;
  /** A file to use instead of the usual known_hosts files. */
  knownHosts: string | undefined;
  /** The only private key file to use. */
  identity: string | undefined;
  /** Lines that may be open at once. */
  connections: number;
  connectTimeoutMs: number;
}

const DEFAULT_CONNECTIONS = 2;
const DEFAULT_CONNECT_TIMEOUT_S = 20;
const OPTIONS = ["transport", "host-key", "known-hosts", "identity", "connections", "connect-timeout"] as const;

type OptionName = (typeof OPTIONS)[number];

/** Throws `STORAGE_LOCATION_INVALID`. */
export function parseSftpLocation(location: string): SftpPlace {
  const url = parseUrl(location);
  if (url.password !== "") {
    throw invalid("a password does not belong into a location", "set REPRISE_SFTP_PASSWORD, or better, use a key");
  }
  if (url.hash !== "") throw invalid("a location has no part after #", "write a # in a path as %23");
  const user = url.username === "" ? undefined : decoded(url.username);
  const host = decoded(url.hostname).replace(/^\[(.*)\]$/, "$1");
  if (host === "" || !isPlainName(host)) throw invalid("an sftp location needs the name or address of a host", EXAMPLE);
  if (user !== undefined && !isPlainName(user)) throw invalid("that is no user name", EXAMPLE);
  const options = parseOptions(url.search.slice(1));
  return {
    location,
    shown: `sftp://${url.username === "" ? "" : `${url.username}@`}${url.host}${url.pathname}`,
    user,
    host,
    port: url.port === "" ? undefined : Number(url.port),
    path: pathOf(decoded(url.pathname)),
    transport: transportOf(options.get("transport")),
    hostKey: fingerprintOf(options.get("host-key")),
    knownHosts: fileOf(options.get("known-hosts")),
    identity: fileOf(options.get("identity")),
    connections: numberOf(options, "connections", DEFAULT_CONNECTIONS, 8),
    connectTimeoutMs: 1000 * numberOf(options, "connect-timeout", DEFAULT_CONNECT_TIMEOUT_S, 600),
  };
}

const EXAMPLE = "an sftp location looks like sftp://user@host:port/folder, or sftp://user@host/~/folder";

function parseUrl(location: string): URL {
  if (!/^sftp:\/\//i.test(location) || location.includes("\0")) throw invalid("that is no sftp location", EXAMPLE);
  try {
    return new URL(location);
  } catch {
    throw invalid("that is no sftp location", EXAMPLE); // the cause would repeat it
  }
}

/** Nothing that the system's ssh could take for an option, and no control character. */
function isPlainName(name: string): boolean {
  return !name.startsWith("-") && /^[^\s\p{Cc}/@"'\\]+$/u.test(name);
}

function pathOf(path: string): string {
  if (path.includes("\0")) throw invalid("a path has no NUL", EXAMPLE);
  const inHome = /^\/~(?:\/+(.*))?$/.exec(path);
  const trimmed = (inHome ? (inHome[1] ?? "") : path).replace(/(?<=.)\/+$/, "");
  if (trimmed === "/" || (trimmed === "" && inHome === null)) throw invalid("an sftp location names a folder", EXAMPLE);
  return trimmed;
}

/** Not URLSearchParams: there a `+`, which fingerprints have, is a space. */
function parseOptions(query: string): Map<OptionName, string> {
  const options = new Map<OptionName, string>();
  for (const part of query.split("&")) {
    if (part === "") continue;
    const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(part)!;
    const known = OPTIONS.find((option) => option === name);
    if (known === undefined) throw invalid("an sftp location has an unknown option", `known: ${OPTIONS.join(", ")}`);
    if (options.has(known)) throw invalid(`${known} is given twice`, "give it once");
    if (value === "") throw invalid(`${known} has no value`, "write name=value, with & between options");
    options.set(known, decoded(value));
  }
  return options;
}

function transportOf(value: string | undefined): SftpPlace["transport"] {
  if (value === undefined || value === "ssh2") return "ssh2";
  if (value === "ssh") return "ssh";
  throw invalid("no such transport", "transport=ssh2 (the library) or transport=ssh (the system's program)");
}

function fingerprintOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const bare = value.replace(/=+$/, "");
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(bare)) return bare;
  throw invalid("host-key is no fingerprint", "it looks like SHA256:… with 43 characters, as ssh-keygen -l prints it");
}

function fileOf(value: string | undefined): string | undefined {
  if (value?.includes("\0")) throw invalid("a file name has no NUL", EXAMPLE);
  return value?.startsWith("~/") ? join(homedir(), value.slice(2)) : value;
}

function numberOf(options: Map<OptionName, string>, name: OptionName, standard: number, most: number): number {
  const value = options.get(name);
  if (value === undefined) return standard;
  if (/^[1-9][0-9]{0,3}$/.test(value) && Number(value) <= most) return Number(value);
  throw invalid(`${name} is a whole number from 1 to ${most}`, EXAMPLE);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("a location has a % that stands for nothing", "write a percent sign as %25");
  }
}

function invalid(message: string, hint: string): RepriseError {
  return new RepriseError("usage", "STORAGE_LOCATION_INVALID", message, { hint });
}
