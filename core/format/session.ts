// Session announcements: docs/format/session.md.

import { decodeCanonicalJson, encodeCanonicalJson } from "./canonicalJson.js";
import { Fields } from "./fields.js";
import type { Sid } from "./ids.js";

export interface SessionAnnouncement {
  sid: Sid;
  purpose: string;
  host: string;
  pid: number;
  group: string | null;
  startedAt: string;
  beat: number;
}

export function encodeSession(session: SessionAnnouncement): Uint8Array {
  return encodeCanonicalJson({ version: 1, ...session });
}

export function decodeSession(bytes: Uint8Array, what: string): SessionAnnouncement {
  const fields = new Fields(decodeCanonicalJson(bytes, what), what);
  fields.expectVersion();
  return {
    sid: fields.sid("sid"),
    purpose: fields.string("purpose", 100),
    host: fields.string("host", 300),
    pid: fields.integer("pid", 0, Number.MAX_SAFE_INTEGER),
    group: fields.nullableString("group", 300),
    startedAt: fields.string("startedAt", 40),
    beat: fields.integer("beat", 0, Number.MAX_SAFE_INTEGER),
  };
}
