// What a fault proxy can do to one request on its way to a server of HTTP objects, and how a test says when.

export interface ProxiedRequest {
  /** 1 for the first request since the schedule was set. */
  number: number;
  method: string;
  /** Of the object in its bucket; empty for requests about the bucket. */
  key: string;
  isList: boolean;
  /** A put that only takes a free name. */
  isConditional: boolean;
}

export interface HttpAnswer {
  status: number;
  /** Names and values in turn. */
  headers: string[];
  body: Uint8Array;
}

/** Milliseconds, or until a test says so. */
export type Lateness = number | Promise<unknown>;

export type Fault =
  | { kind: "none" }
  /** Delivered after that time. */
  | { kind: "delay"; ms: number }
  /** The connection breaks before the request has arrived. */
  | { kind: "reset" }
  /** Delivered, then the connection breaks instead of an answer. */
  | { kind: "lose answer" }
  /** That share of the answer's body arrives, then the connection breaks. */
  | { kind: "truncate"; share: number }
  /** As truncate, but the connection stays open and silent. */
  | { kind: "stall"; share: number }
  /** The answer comes in so many pieces with pauses. */
  | { kind: "drip"; pieces: number; everyMs: number }
  /** Delivered twice, the second time so much later, whatever has happened meanwhile. `answer`: which one the client gets. */
  | { kind: "duplicate"; laterMs: Lateness; answer: "first" | "second" }
  /** The client sees a broken connection; the request arrives so much later, after requests that were sent after it. */
  | { kind: "hold back"; ms: Lateness }
  /** Not delivered: the server refuses with an S3 error of that name. */
  | { kind: "refuse"; status: number; code: string }
  /** Delivered, and yet the server claims to have failed. */
  | { kind: "lie about success" }
  /** A listing as it was one time earlier; empty when it was never asked for. Another request is delivered. */
  | { kind: "stale list" }
  /** Somebody else answers. */
  | { kind: "answer"; from: (request: DeliveredRequest) => Promise<HttpAnswer> };

export type FaultKind = Fault["kind"];

/** As it would go to the server. */
export interface DeliveredRequest extends ProxiedRequest {
  /** Path and query, as sent. */
  url: string;
  /** Names and values in turn, as sent. */
  headers: string[];
  body: Uint8Array;
}

export type ChooseFault = (request: ProxiedRequest) => Fault;

export const NO_FAULTS: ChooseFault = () => ({ kind: "none" });
