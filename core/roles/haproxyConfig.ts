// What HAProxy must be told so that a runner, who reaches an S3 server through it only, can neither overwrite nor delete: for servers
// whose policies know no condition on If-None-Match. Pure, and without secrets. Who is let past the proxy: s3Policy.ts, docs/roles.md.

import { OVERWRITTEN, WRITTEN_ONCE } from "./s3Policy.js";

export interface HaproxyOptions {
  /** Letters, digits, `.`, `_` and `-`, as in every location. */
  bucket: string;
  /** Of the repository in the bucket, of the same characters; empty, or with a final slash. */
  prefix: string;
  /** Behind the proxy. */
  server: { host: string; port: number; tls: boolean };
}

/** Where runners find the proxy, until somebody edits the line. */
const BIND = ":8333";
/** What the names of objects are made of, after their folder. */
const NAME = "[0-9A-Za-z][0-9A-Za-z._-]*";
const REFUSAL =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>the proxy lets runners read and create only</Message></Error>';

/**
 * Two sections for `haproxy.cfg` (HAProxy 2.4 and newer). Reading passes; of everything else only a PUT to a name of ours that carries
 * `If-None-Match: *` once and has neither a source to copy from nor a query (`?versionId=` hides what is there on Ceph; a part
 * needs an upload), and announcements.
 */
export function haproxyConfig(options: HaproxyOptions): string {
  const lines = [
    "# Printed by reprise init --print-policy haproxy: what runners may send to the storage. Their location has this address as its",
    "# endpoint, keepers keep the storage's own. Who may not go past it says the bucket's policy (--proxy ADDRESS).",
    "frontend reprise-runners",
    ...indented([
      "mode http",
      `bind ${BIND}`,
      "timeout client 2m",
      "timeout http-request 30s",
      "http-request del-header upgrade",
      "acl reads method GET HEAD",
      "acl puts method PUT",
      `acl written_once path -m reg '${pathsOf(WRITTEN_ONCE, options)}'`,
      `acl announces path -m reg '${pathsOf(OVERWRITTEN, options)}'`,
      "acl plain url -m reg ^[^?]*$",
      "acl plain query -m str x-id=PutObject",
      "acl copies req.hdr_names -m reg '(^|,)x-amz-copy'",
      "# Some servers take If_None_Match for If-None-Match, and the last one counts.",
      "acl disguised req.hdr_names -m sub _",
      "acl one_condition req.fhdr_cnt(if-none-match) eq 1",
      "acl must_be_new req.fhdr(if-none-match) -m str *",
      "http-request allow if reads",
      "http-request allow if puts plain !copies !disguised written_once one_condition must_be_new",
      "http-request allow if puts plain !copies !disguised announces",
      `http-request return status 403 content-type application/xml string '${REFUSAL}'`,
      "default_backend reprise-storage",
    ]),
    "",
    "backend reprise-storage",
    ...indented(["mode http", "timeout connect 10s", "timeout server 2m", serverLine(options.server)]),
  ];
  return `${lines.join("\n")}\n`;
}

function indented(lines: string[]): string[] {
  return lines.map((line) => `    ${line}`);
}

function pathsOf(patterns: readonly string[], { bucket, prefix }: HaproxyOptions): string {
  const folders = patterns.map((pattern) => pattern.slice(0, -"/*".length));
  const place = `/${bucket}/${prefix}`.replaceAll(".", "[.]");
  return `^${place}(${folders.join("|")})(/${NAME}){1,2}$`;
}

function serverLine({ host, port, tls }: HaproxyOptions["server"]): string {
  const checked = ` ssl verify required ca-file /etc/ssl/certs/ca-certificates.crt sni str(${host}) verifyhost ${host}`;
  return `server storage ${host}:${port}${tls ? checked : ""}`;
}
