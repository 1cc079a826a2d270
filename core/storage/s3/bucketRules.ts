// What the bucket's own rules do for the repository: versioning, object lock, what expires. What the credentials may not ask
// is unknown.

import type { OperationOptions, StorageProtection } from "../backend.js";
import { expiringPrefixes, retentionDays, versioning } from "./bucketRequests.js";
import type { FirstVersions } from "./firstVersions.js";
import type { RequestSender } from "./requestSender.js";
import { S3CallError } from "./s3CallError.js";
import type { S3Connection } from "./s3Connection.js";
import { objectRetention, setObjectRetention } from "./versionRequests.js";

export class BucketRules {
  readonly #connection: S3Connection;
  readonly #sender: RequestSender;

  constructor(connection: S3Connection, sender: RequestSender) {
    this.#connection = connection;
    this.#sender = sender;
  }

  async isVersioned(options: OperationOptions): Promise<boolean | "unknown"> {
    const status = await this.#ask("s3:GetBucketVersioning", options, (signal) => versioning(this.#connection, signal));
    return status === null ? "unknown" : status === "Enabled";
  }

  async protection(options: OperationOptions): Promise<StorageProtection> {
    const connection = this.#connection;
    const isVersioned = await this.isVersioned(options);
    const days = await this.#ask("s3:GetBucketObjectLockConfiguration", options, (signal) =>
      retentionDays(connection, signal),
    );
    const expiring = await this.#ask("s3:GetLifecycleConfiguration", options, (signal) =>
      expiringPrefixes(connection, signal),
    );
    const root = connection.location.prefix;
    const versionsExpire = (expiring ?? []).flatMap((prefix) =>
      root.startsWith(prefix) ? [""] : prefix.startsWith(root) ? [prefix.slice(root.length)] : [],
    );
    return {
      versioning: isVersioned === "unknown" ? "unknown" : isVersioned ? "on" : "off",
      objectLockDays: days ?? null,
      versionsExpire,
    };
  }

  /** See Backend.lockUntil. */
  async lockUntil(
    key: string,
    { untilMs, whenLessThanMs }: { untilMs: number; whenLessThanMs: number },
    firsts: FirstVersions,
    options: OperationOptions,
  ): Promise<"extended" | "kept"> {
    const connection = this.#connection;
    const version = await versionToLock(key, firsts, options);
    const asked = this.#sender.about("s3:GetObjectRetention", "lockUntil", key);
    const now = await this.#sender.send("GET", asked, options, (signal) =>
      objectRetention(connection, key, version, signal),
    );
    if (now === undefined || now.untilMs >= whenLessThanMs) return "kept";
    const request = this.#sender.about("s3:PutObjectRetention", "lockUntil", key);
    const { mode } = now;
    await this.#sender.send("PUT", request, options, (signal) =>
      setObjectRetention(connection, key, version, { mode, untilMs }, signal),
    );
    return "extended";
  }

  /** Null: the bucket has no such thing, or the credentials may not know. */
  async #ask<T>(
    verb: string,
    options: OperationOptions,
    ask: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T | null> {
    try {
      return await this.#sender.send("GET", this.#sender.about(verb, "protection", ""), options, ask);
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      const status = cause instanceof S3CallError ? (cause.facts.status ?? 0) : 0;
      if ((status >= 400 && status < 500 && status !== 408 && status !== 429) || status === 501) return null;
      throw error;
    }
  }
}

/** Undefined: the latest one. */
async function versionToLock(
  key: string,
  firsts: FirstVersions,
  options: OperationOptions,
): Promise<string | undefined> {
  if (!(await firsts.count(key, options))) return undefined;
  return firsts.only(key) ?? (await firsts.look(key, options))?.versionId;
}
