// The repository's config object: docs/format/config.md.

import { formatError } from "./bytes.js";
import { decodeCanonicalJson, encodeCanonicalJson, type JsonValue } from "./canonicalJson.js";
import { Fields } from "./fields.js";
import type { Sid } from "./ids.js";
import { KIB, MAX_BLOB_PLAIN, MAX_PACK_TARGET, MIB, MIN_PACK_TARGET } from "./limits.js";

export const CHUNKER_ALGORITHM = "gear64-nc1";

export interface ChunkerConfig {
  minBytes: number;
  averageBytes: number;
  maxBytes: number;
  segmentBytes: number;
}

export interface RepositoryConfig {
  repositoryId: Sid;
  createdAt: string;
  encryption: "aes-256-gcm" | "none";
  /** 16 hex digits; null when not encrypted. */
  keyId: string | null;
  chunker: ChunkerConfig;
  packBytes: number;
  /** Public half of the keeper's key, 64 hex digits; null: one role, everybody with the key may do everything. */
  keeper: string | null;
  /** 64 hex digits; null when not encrypted. */
  mac: string | null;
}

export function encodeConfig(config: RepositoryConfig): Uint8Array {
  return encodeCanonicalJson({ ...configMembers(config), mac: config.mac });
}

/** The bytes that the MAC is computed over. */
export function configBytesForMac(config: RepositoryConfig): Uint8Array {
  return encodeCanonicalJson(configMembers(config));
}

export function decodeConfig(bytes: Uint8Array): RepositoryConfig {
  const fields = new Fields(decodeCanonicalJson(bytes, "config"), "config");
  fields.expectVersion();
  const encryption = fields.oneOf("encryption", ["aes-256-gcm", "none"]);
  const chunker = decodeChunker(fields.object("chunker"));
  return {
    repositoryId: fields.sid("repositoryId"),
    createdAt: fields.string("createdAt", 40),
    encryption,
    keyId: encryption === "none" ? null : fields.hex("keyId", 8),
    chunker,
    packBytes: fields.integer("packBytes", MIN_PACK_TARGET, MAX_PACK_TARGET),
    keeper: fields.has("keeper") ? fields.hex("keeper", 32) : null,
    mac: encryption === "none" ? null : fields.hex("mac", 32),
  };
}

/** The limits of docs/format/chunking.md. */
function decodeChunker(fields: Fields): ChunkerConfig {
  fields.oneOf("algorithm", [CHUNKER_ALGORITHM]);
  const minBytes = fields.integer("minBytes", 4 * KIB, MIB);
  const averageBytes = fields.integer("averageBytes", 16 * KIB, MAX_BLOB_PLAIN);
  const maxBytes = fields.integer("maxBytes", 32 * KIB, MAX_BLOB_PLAIN);
  const segmentBytes = fields.integer("segmentBytes", 64 * KIB, 16 * MIB);
  const fit = isPowerOfTwo(averageBytes) && isPowerOfTwo(segmentBytes);
  if (!fit || averageBytes < 2 * minBytes || maxBytes < 2 * averageBytes) {
    throw formatError(fields.what, "the sizes of chunks contradict each other");
  }
  return { minBytes, averageBytes, maxBytes, segmentBytes };
}

function isPowerOfTwo(value: number): boolean {
  return (value & (value - 1)) === 0;
}

function configMembers(config: RepositoryConfig): Record<string, JsonValue> {
  return {
    version: 1,
    repositoryId: config.repositoryId,
    createdAt: config.createdAt,
    encryption: config.encryption,
    keyId: config.keyId,
    chunker: { algorithm: CHUNKER_ALGORITHM, ...config.chunker },
    packBytes: config.packBytes,
    ...(config.keeper === null ? {} : { keeper: config.keeper }),
  };
}
