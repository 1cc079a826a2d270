// Who is told about the end of jobs, and where evidence is published.

import { FieldReader } from "../yaml/fieldReader.js";
import type { ProblemList } from "../yaml/problems.js";
import { type Building, entriesAt } from "./building.js";
import { asList, type RawConfig, type RawEvidence, type RawNotification } from "./rawConfig.js";
import type { EvidenceConfig, NotificationConfig } from "./repriseConfig.js";
import { parseSecretReference, secretField } from "./secretReference.js";

const ADDRESS = /^[^\s@<>,;"]{1,64}@[^\s@<>,;"]{1,255}$/;
const BRANCH_PARTS = /\.\.|\/\/|\/$|\.lock(\/|$)|\/\.|\.$/;

export function buildNotifications({ notifications }: RawConfig, { problems }: Building): NotificationConfig[] {
  return entriesAt(notifications, "/notifications").flatMap(({ name, raw, at }) => {
    const line = problems.lineOfKey(at);
    if (raw.webhook !== undefined && raw.mail === undefined) {
      refuse(raw, ["server", "password", "from"], "mail", at, problems);
      const url = parseSecretReference(raw.webhook);
      return url === null ? [] : [{ name, line, kind: "webhook" as const, url, format: raw.format ?? "json" }];
    }
    if (raw.mail !== undefined && raw.webhook === undefined) return [buildMail(name, raw, at, problems)];
    problems.addAtKey(at, `the notification ${name} needs either webhook or mail`);
    return [];
  });
}

function refuse(
  raw: RawNotification,
  fields: readonly (keyof RawNotification)[],
  kind: string,
  at: string,
  problems: ProblemList,
): void {
  for (const field of fields) {
    if (raw[field] !== undefined) problems.addAtKey(`${at}/${field}`, `${field} belongs to ${kind}`);
  }
}

function buildMail(name: string, raw: RawNotification, at: string, problems: ProblemList): NotificationConfig {
  refuse(raw, ["format"], "webhook", at, problems);
  if (raw.server === undefined)
    problems.addAtKey(at, `"server" is missing, for example smtps://backup@mail.example.org`);
  else checkServer(raw.server, raw.password !== undefined, `${at}/server`, problems);
  if (raw.from === undefined) problems.addAtKey(at, `"from" is missing: the sender's address`);
  else if (!ADDRESS.test(raw.from)) problems.add(`${at}/from`, "from is no mail address such as backup@example.org");
  const to = asList(raw.mail);
  if (to.length === 0) problems.add(`${at}/mail`, "mail is empty: it needs an address");
  if (to.some((address) => !ADDRESS.test(address)))
    problems.add(`${at}/mail`, "mail: one of them is no mail address such as ops@example.org");
  return {
    ...{ name, line: problems.lineOfKey(at), kind: "mail", to },
    server: raw.server ?? "",
    password: secretField(raw.password),
    from: raw.from ?? "",
  };
}

/** What stands there is not repeated: it may be a password. */
function checkServer(server: string, hasPassword: boolean, at: string, problems: ProblemList): void {
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === "") {
    problems.add(at, "server must be smtp://user@host:port or smtps://user@host:port");
    return;
  }
  if (url.password !== "") problems.add(at, "server must not hold a password: name it with password: env:NAME");
  if (hasPassword && url.username === "") problems.add(at, "server: a password needs a user, as in smtps://user@host");
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "")
    problems.add(at, "server has nothing behind its port");
}

const DAY_MS = 86_400_000;
const KEEP_LIMITS = { minMs: DAY_MS, maxMs: 36_600 * DAY_MS };
/** A year and a month: what a yearly audit asks for is still there. */
const STANDARD_KEEP_MS = 400 * DAY_MS;

export function buildEvidence({ evidence }: RawConfig, { problems }: Building): EvidenceConfig {
  const raw: RawEvidence = evidence ?? {};
  const reader = new FieldReader(raw, "/evidence", problems);
  const { branch = "reprise-evidence", remote = "origin" } = raw;
  if (BRANCH_PARTS.test(branch)) problems.add("/evidence/branch", "branch is no name that git takes");
  const remoteProblem = problemOfRemote(remote);
  if (remoteProblem !== null) problems.add("/evidence/remote", remoteProblem);
  return {
    branch,
    remote: remoteProblem === null ? remote : "",
    signingKey: secretField(raw["signing-key"]),
    publish: raw.publish ?? evidence !== undefined,
    keepMs: raw.keep === "forever" ? null : (reader.span("keep", KEEP_LIMITS) ?? STANDARD_KEEP_MS),
  };
}

/** Of a name, a path, user@host:path, or a URL. Not repeated: it may hold a token. */
function problemOfRemote(remote: string): string | null {
  if (remote.startsWith("-") || /[\p{Cc}\s]/u.test(remote)) return "remote is no name of a remote and no URL";
  // git runs programs that such a remote names
  if (/^[A-Za-z0-9+.-]+::/.test(remote)) return "remote must not name a helper program (…::)";
  if (!remote.includes("://")) return null;
  const url = URL.canParse(remote) ? new URL(remote) : null;
  if (url === null || !/^(https?|ssh|git|file):$/.test(url.protocol))
    return "remote must be a name, a path, or an https, ssh or file URL";
  const holdsSecret = url.password !== "" || (url.username !== "" && url.protocol !== "ssh:");
  return holdsSecret ? "remote must not hold credentials: git's own credential helpers know them" : null;
}
