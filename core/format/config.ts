// The repository's config object: docs/format/config.md.

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
  const chunker = fields.object("chunker");
  chunker.oneOf("algorithm", [CHUNKER_ALGORITHM]);
  return {
    repositoryId: fields.sid("repositoryId"),
    createdAt: fields.string("createdAt", 40),
    encryption,
    keyId: encryption === "none" ? null : fields.hex("keyId", 8),
    chunker: {
      minBytes: chunker.integer("minBytes", 4 * KIB, MIB),
      averageBytes: chunker.integer("averageBytes", 16 * KIB, MAX_BLOB_PLAIN),
      maxBytes: chunker.integer("maxBytes", 32 * KIB, MAX_BLOB_PLAIN),
      segmentBytes: chunker.integer("segmentBytes", 64 * KIB, 16 * MIB),
    },
    packBytes: fields.integer("packBytes", MIN_PACK_TARGET, MAX_PACK_TARGET),
    mac: encryption === "none" ? null : fields.hex("mac", 32),
  };
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
  };
}
