// How requests of one S3 backend go out: at most so many at once, tried again where that may help, counted, and what
// finally fails as an error of ours.

import type { OperationOptions, StorageRetry, Traffic } from "../backend.js";
import { RetryNotice } from "../retryNotice.js";
import { TrafficCount } from "../trafficCount.js";
import { RequestGate } from "./requestGate.js";
import { type RetryRules, retrying } from "./retrying.js";
import { S3CallError } from "./s3CallError.js";
import { isNobodyThere, isWorthRetrying, type S3Request, s3Failure, sentence } from "./s3Failure.js";
import { endpointOf, type S3Location } from "./s3Location.js";

/** A storage that has answered before is waited for; one that never has is more likely a wrong location. */
const PATIENCE_MS = 120_000;
const FIRST_PATIENCE_MS = 15_000;
/** Nobody listens there, or there is no way there: unless it is being started, that stays so. */
const REFUSED_PATIENCE_MS = 4000;
const RETRY = { baseMs: 200, capMs: 10_000 };
/** A storage that has answered is in trouble worth a word after so long; one that never has at once. */
const QUIET_MS = 5000;

export interface SenderOptions {
  onRetry?: (retry: StorageRetry) => void;
  retry?: Partial<RetryRules>;
}

export class RequestSender {
  readonly #place: S3Location;
  readonly #gate: RequestGate;
  readonly #retry: RetryRules;
  readonly #traffic = new TrafficCount();
  readonly #notice: RetryNotice;
  #hasAnswered = false;

  constructor(place: S3Location, { retry, onRetry }: SenderOptions = {}) {
    this.#place = place;
    this.#gate = new RequestGate({ atOnce: place.connections, perSecond: place.requestsPerSecond });
    this.#notice = new RetryNotice(endpointOf(place), onRetry);
    const patienceMs = (error: unknown) => this.#patienceMs(error);
    const onPause = (error: unknown, failingMs: number) => this.#tell(error, failingMs);
    this.#retry = { ...RETRY, patienceMs, onPause, ...retry };
  }

  /** For messages: `verb` is the permission that policies name, `key` our key or prefix, if it is about one. */
  about(verb: string, operation: string, key?: string): S3Request {
    return { verb, operation, endpoint: endpointOf(this.#place), bucket: this.#place.bucket, key };
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

  #patienceMs(error: unknown): number {
    if (this.#hasAnswered) return PATIENCE_MS;
    return error instanceof S3CallError && isNobodyThere(error.facts) ? REFUSED_PATIENCE_MS : FIRST_PATIENCE_MS;
  }

  #tell(error: unknown, failingMs: number): void {
    if (this.#hasAnswered && failingMs < QUIET_MS) return;
    const reason = error instanceof S3CallError ? sentence(error.facts) : String(error);
    this.#notice.tell(reason, this.#retry.patienceMs(error));
  }

  #isWorthRetrying(error: unknown): boolean {
    if (!(error instanceof S3CallError)) return false;
    if (error.facts.status !== undefined) this.#hasAnswered = true;
    return isWorthRetrying(error.facts);
  }
}
