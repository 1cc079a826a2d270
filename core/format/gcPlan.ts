// Collection plans and finals: docs/format/gc-plan.md.

import { formatError } from "./bytes.js";
import { decodeCanonicalJson, encodeCanonicalJson, type JsonValue } from "./canonicalJson.js";
import { Fields } from "./fields.js";
import { isPackName, type PackName, type Sid } from "./ids.js";
import { MAX_PLAN_PACKS } from "./limits.js";
import { decodeSignature, type Signable, withoutEmptySignature } from "./verdict.js";

export interface GcPlan extends Signable {
  gid: Sid;
  at: string;
  by: string;
  victims: readonly PackName[];
}

export interface GcFinal extends Signable {
  gid: Sid;
  at: string;
  by: string;
  delete: readonly PackName[];
}

export function encodeGcPlan(plan: GcPlan): Uint8Array {
  return encodeCanonicalJson({ version: 1, ...withoutEmptySignature(plan) } as unknown as JsonValue);
}

export function decodeGcPlan(bytes: Uint8Array, what: string): GcPlan {
  const fields = new Fields(decodeCanonicalJson(bytes, what), what);
  fields.expectVersion();
  return { ...decodeHead(fields), victims: decodePacks(fields, "victims"), ...decodeSignature(fields) };
}

export function encodeGcFinal(final: GcFinal): Uint8Array {
  return encodeCanonicalJson({ version: 1, ...withoutEmptySignature(final) } as unknown as JsonValue);
}

export function decodeGcFinal(bytes: Uint8Array, what: string): GcFinal {
  const fields = new Fields(decodeCanonicalJson(bytes, what), what);
  fields.expectVersion();
  return { ...decodeHead(fields), delete: decodePacks(fields, "delete"), ...decodeSignature(fields) };
}

function decodeHead(fields: Fields): { gid: Sid; at: string; by: string } {
  return { gid: fields.sid("gid"), at: fields.string("at", 40), by: fields.string("by", 300) };
}

function decodePacks(fields: Fields, name: string): PackName[] {
  const packs = fields.strings(name, MAX_PLAN_PACKS, 41);
  if (!packs.every(isPackName)) throw formatError(fields.what, "a pack name has the wrong form");
  return packs as PackName[];
}
