// How requests of one S3 backend go out: at most so many at once, tried again where that may help, counted, and what
// finally fails as an error of ours.

import type { OperationOptions, Traffic } from "../backend.js";
import { RequestGate } from "./requestGate.js";
import { type RetryRules, retrying } from "./retrying.js";
import { S3CallError } from "./s3CallError.js";
import { isWorthRetrying, type S3Request, s3Failure } from "./s3Failure.js";
import type { S3Location } from "./s3Location.js";
import { TrafficCount } from "./s3Traffic.js";

/** A storage that has answered before is waited for; one that never has is more likely a wrong location. */
const PATIENCE_MS = 120_000;
const FIRST_PATIENCE_MS = 15_000;
const RETRY = { baseMs: 200, capMs: 10_000 };

export class RequestSender {
  readonly #place: S3Location;
  readonly #gate: RequestGate;
  readonly #retry: RetryRules;
  readonly #traffic = new TrafficCount();
  #hasAnswered = false;

  constructor(place: S3Location, retry: Partial<RetryRules> = {}) {
    this.#place = place;
    this.#gate = new RequestGate({ atOnce: place.connections, perSecond: place.requestsPerSecond });
    const patienceMs = () => (this.#hasAnswered ? PATIENCE_MS : FIRST_PATIENCE_MS);
    this.#retry = { ...RETRY, patienceMs, ...retry };
  }

  /** For messages: `verb` is the permission that policies name, `key` our key or prefix. */
  about(verb: string, operation: string, key: string): S3Request {
    return { verb, operation, bucket: this.#place.bucket, key };
  }

  /** Sends until it is answered. `kind`: the word in the count of requests. */
  async send<T>(
    kind: string,
    request: S3Request,
    options: OperationOptions,
    attempt: (signal: AbortSignal | undefined) => Promise<T>,
    bytesUp = 0,
  ): Promise<T> {
    const { signal } = options;
    let tries = 0;
    const once = () =>
      this.#gate.run(async () => {
        if (tries++ > 0) this.#traffic.retry();
        this.#traffic.request(kind, bytesUp);
        const answer = await attempt(signal);
        this.#hasAnswered = true;
        return answer;
      }, signal);
    try {
      return await retrying(once, (error) => this.#isWorthRetrying(error), this.#retry, signal);
    } catch (error) {
      signal?.throwIfAborted(); // with its own reason
      throw s3Failure(error, request);
    }
  }

  received(bytes: number): void {
    this.#traffic.received(bytes);
  }

  traffic(): Traffic {
    return this.#traffic.now;
  }

  #isWorthRetrying(error: unknown): boolean {
    if (!(error instanceof S3CallError)) return false;
    if (error.facts.status !== undefined) this.#hasAnswered = true;
    return isWorthRetrying(error.facts);
  }
}
