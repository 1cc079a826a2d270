// A real proxy in front of an S3 server: a client is pointed at it by its endpoint, and a schedule decides for each request
// what goes wrong. Late deliveries of requests that their client has given up really arrive.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import {
  type ChooseFault,
  type DeliveredRequest,
  type Fault,
  type HttpAnswer,
  type Lateness,
  NO_FAULTS,
  type ProxiedRequest,
} from "./fault.js";
import { emptyListing, readWhole, s3Error, Upstream } from "./httpExchange.js";

export class HttpFaultProxy {
  readonly endpoint: string;
  /** How often each fault was made. */
  readonly counts = new Map<string, number>();
  readonly #server: Server;
  readonly #upstream: Upstream;
  readonly #late = new Set<Promise<unknown>>();
  /** The latest true answer to each listing. */
  readonly #listings = new Map<string, HttpAnswer>();
  #choose: ChooseFault = NO_FAULTS;
  #requests = 0;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#upstream = new Upstream(target);
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => void this.#handle(request, response));
  }

  /** `target`: the server's endpoint, `http://HOST:PORT`. */
  static async start(target: string, choose: ChooseFault = NO_FAULTS): Promise<HttpFaultProxy> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new HttpFaultProxy(server, target);
    proxy.schedule(choose);
    return proxy;
  }

  /** From the next request on; they are counted from 1 again. */
  schedule(choose: ChooseFault): void {
    this.#choose = choose;
    this.#requests = 0;
  }

  /** Requests since the schedule was set. */
  get requests(): number {
    return this.#requests;
  }

  /** When every late delivery has arrived. */
  async settled(): Promise<void> {
    while (this.#late.size > 0) await Promise.allSettled(this.#late);
  }

  async close(): Promise<void> {
    await this.settled();
    this.#server.closeAllConnections();
    this.#upstream.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => {});
    const about = describeRequest(request, ++this.#requests);
    const fault = this.#choose(about);
    this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
    if (fault.kind === "reset") return reset(response);
    try {
      const body = await readWhole(request);
      const whole = { ...about, url: request.url ?? "/", headers: request.rawHeaders, body };
      await this.#answer(whole, fault, response);
    } catch {
      reset(response); // the client or the server has gone
    }
  }

  async #answer(request: DeliveredRequest, fault: Fault, response: ServerResponse): Promise<void> {
    switch (fault.kind) {
      case "delay":
        await delay(fault.ms);
        break;
      case "lose answer":
        await this.#deliver(request);
        return reset(response);
      case "hold back":
        this.#deliverLater(request, fault.ms);
        return reset(response);
      case "duplicate":
        return send(response, await this.#deliverTwice(request, fault));
      case "refuse":
        return send(response, s3Error(fault.status, fault.code));
      case "lie about success":
        await this.#deliver(request);
        return send(response, s3Error(500, "InternalError"));
      case "stale list":
        if (request.isList) return send(response, await this.#earlierListing(request));
        break;
      case "answer":
        return send(response, await fault.from(request));
      default:
        break;
    }
    const answer = await this.#deliver(request);
    if (fault.kind === "truncate") return sendPart(response, answer, fault.share, "end");
    if (fault.kind === "stall") return sendPart(response, answer, fault.share, "stay");
    if (fault.kind === "drip") return sendSlowly(response, answer, fault.pieces, fault.everyMs);
    send(response, answer);
  }

  async #deliver(request: DeliveredRequest): Promise<HttpAnswer> {
    const answer = await this.#upstream.deliver(request);
    if (request.isList && answer.status === 200) this.#listings.set(request.url, answer);
    return answer;
  }

  #deliverLater(request: DeliveredRequest, later: Lateness): Promise<HttpAnswer> {
    const due = typeof later === "number" ? delay(later) : later;
    const delivery = due.then(() => this.#deliver(request));
    this.#late.add(delivery);
    const forget = () => void this.#late.delete(delivery);
    delivery.then(forget, forget);
    return delivery;
  }

  async #deliverTwice(
    request: DeliveredRequest,
    { laterMs, answer }: { laterMs: Lateness; answer: "first" | "second" },
  ): Promise<HttpAnswer> {
    const first = await this.#deliver(request);
    const second = this.#deliverLater(request, laterMs);
    return answer === "first" ? first : await second;
  }

  async #earlierListing(request: DeliveredRequest): Promise<HttpAnswer> {
    const earlier = this.#listings.get(request.url) ?? emptyListing();
    await this.#deliver(request);
    return earlier;
  }
}

function describeRequest(request: IncomingMessage, number: number): ProxiedRequest {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://proxy");
  const [, , ...parts] = pathname.split("/");
  return {
    number,
    method: request.method ?? "GET",
    key: decodeURIComponent(parts.join("/")),
    isList: request.method === "GET" && searchParams.has("list-type"),
    isConditional: request.headers["if-none-match"] === "*",
  };
}

function reset(response: ServerResponse): void {
  const { socket } = response;
  if (socket !== null && !socket.destroyed) socket.resetAndDestroy();
}

function send(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  response.writeHead(status, headers);
  response.end(body);
}

/** The start of an answer that announces all of it; nothing of an answer that has no body. */
function sendPart(response: ServerResponse, answer: HttpAnswer, share: number, then: "end" | "stay"): void {
  const { status, headers, body } = answer;
  if (body.length > 0) {
    response.writeHead(status, headers);
    response.flushHeaders();
    response.write(body.subarray(0, Math.min(body.length - 1, Math.floor(body.length * share))));
  }
  if (then === "end") response.socket?.destroySoon();
}

async function sendSlowly(
  response: ServerResponse,
  answer: HttpAnswer,
  pieces: number,
  everyMs: number,
): Promise<void> {
  const { status, headers, body } = answer;
  if (body.length === 0) await delay(everyMs);
  response.writeHead(status, headers);
  const size = Math.max(1, Math.ceil(body.length / pieces));
  for (let at = 0; at < body.length && !response.destroyed; at += size) {
    response.write(body.subarray(at, at + size));
    await delay(everyMs);
  }
  response.end();
}
